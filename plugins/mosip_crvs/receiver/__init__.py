"""The receiver of MOSIP's WebSub notifications: verify, store, answer. Nothing else; meaning is given later."""
