-- The newest action: another one than before tells a worker that an operator has changed something.
SELECT max(id) AS newest FROM actions
