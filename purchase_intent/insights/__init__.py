"""What has been learnt and measured, as people read it: words, tables, charts, the card of a model."""
