"""Tables, the unit of work (the only commit), jobs, audit and queries. SQLAlchemy lives here."""
