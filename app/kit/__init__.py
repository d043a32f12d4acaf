"""Parts that several pages share: numbers, forms, tables, charts, widgets."""
