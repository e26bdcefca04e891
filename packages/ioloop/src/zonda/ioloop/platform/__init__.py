"""What binds the IOLoop to the event loops there are: asyncio's and those that look like it."""
