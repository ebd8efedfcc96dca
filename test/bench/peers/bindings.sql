-- What a peer with a store keeps: the QR code of each user, and the bindings. The index of openids finds who has a WeChat already.
create table tickets (scene text primary key, user text not null, openid text) without rowid;
create table bindings (user text primary key, openid text not null unique, bound_at integer not null) without rowid;
