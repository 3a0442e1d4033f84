CREATE TABLE items (
  sku        TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  price      NUMERIC(12,2) NOT NULL CHECK (price > 0),
  stock      INTEGER NOT NULL CHECK (stock >= 0),
  attributes JSON,
  photo      BLOB
);
CREATE TABLE orders (
  id         UUID PRIMARY KEY,
  customer   TEXT NOT NULL,
  status     TEXT NOT NULL CHECK (status IN ('new', 'paid', 'shipped', 'cancelled')),
  note       TEXT,
  created_at TIMESTAMP NOT NULL
);
CREATE TABLE order_lines (
  order_id UUID NOT NULL REFERENCES orders(id),
  sku      TEXT NOT NULL REFERENCES items(sku),
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (order_id, sku)
);
