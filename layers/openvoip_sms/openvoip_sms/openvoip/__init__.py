"""Everything specific to the openvoip gateway. Another gateway is a folder like this one."""
