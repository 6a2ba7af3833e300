"""From a row of the registry to MOSIP's identity fields: mapping, ID schema and domain rules. Pure."""
