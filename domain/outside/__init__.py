"""External data: series, headlines and calendars of releases as they stand in files, and when each value was known."""
