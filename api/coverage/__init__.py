"""What was seen of streams: timelines, availability, reports."""
