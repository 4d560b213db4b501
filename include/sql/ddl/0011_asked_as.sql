-- Warehouses made before ops.llm_batch_rows knew in which words a batch was asked; what is out there is asked again.

alter table ops.llm_batch_rows add column if not exists asked_as varchar;
