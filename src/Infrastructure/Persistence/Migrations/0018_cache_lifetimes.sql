-- For how long answers are kept whose key begins so, where that is not what the program says.
CREATE TABLE cache_lifetimes (
    prefix text PRIMARY KEY,
    seconds integer NOT NULL CHECK (seconds > 0),
    set_at timestamptz NOT NULL
);
