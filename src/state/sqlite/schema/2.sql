ALTER TABLE history RENAME TO history_of_one;
CREATE TABLE history (pipeline INTEGER NOT NULL, name TEXT NOT NULL, n INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (pipeline, name, n)) WITHOUT ROWID;
INSERT INTO history (pipeline, name, n, body) SELECT pipeline, '', n, body FROM history_of_one;
DROP TABLE history_of_one;
ALTER TABLE generations ADD COLUMN instead_of TEXT;
