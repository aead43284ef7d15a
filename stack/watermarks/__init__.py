"""How far each table has got."""
