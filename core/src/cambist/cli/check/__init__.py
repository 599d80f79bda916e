"""`cambist check`: what many runs tell about a strategy."""
