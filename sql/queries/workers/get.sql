SELECT incarnation FROM workers WHERE incarnation = :worker
