"""The control port: whoever runs the venue looks into it and acts on it, over HTTP."""
