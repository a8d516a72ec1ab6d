"""The event contract as documents: AsyncAPI 3 and JSON Schemas, generated and committed."""
