"""Exotel: `rest` dials, `webhooks` understands its callbacks, `media` speaks its audio socket.

Wire formats: developer.exotel.com, "Connect Voice AI", "Voicebot applet" and "StatusCallback".
"""
