"""FastAPI: the same answers as of the other ASGI applications here. `asgi_on.py` serves it."""

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel


class Item(BaseModel):
    id: int
    name: str
    price: int


class Order(BaseModel):
    items: list[Item]
    note: str


app = FastAPI()


@app.get("/", response_class=PlainTextResponse)
async def hello() -> str:
    return "Hello, world"


@app.get("/json")
async def json() -> dict[str, object]:
    return {"message": "Hello, world", "n": [1, 2, 3]}


@app.post("/orders")
async def orders(order: Order) -> dict[str, int]:
    return {"count": len(order.items), "total": sum(item.price for item in order.items)}
