"""Notices to people: the dispatcher that carries them, and the channels that work with nothing else installed."""

from cambist.notify.dispatcher import Channel, ChannelStats, Dispatcher
from cambist.notify.lane import Sent
from cambist.notify.log import LogNotifier
from cambist.notify.webhook import WebhookNotifier

__all__ = ["Channel", "ChannelStats", "Dispatcher", "LogNotifier", "Sent", "WebhookNotifier"]
