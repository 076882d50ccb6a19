"""Requests and responses of the REST API: API Gateway's event in, a proxy response out."""
