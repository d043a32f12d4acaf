"""What several pages draw with: figures, forms, tables, charts, widgets."""
