"""The createPacket request and the trigger, as bytes. Pure."""
