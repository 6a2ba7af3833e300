"""What MOSIP sends back of a person: the notification, the sealed credential, its proof and its identifiers. Pure."""
