"""The API's answers and questions, as classes that OpenAPI is generated from."""
