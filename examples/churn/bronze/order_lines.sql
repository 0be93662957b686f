-- The shop's export, a file a month, a line an order: customer, day, number of CDs, dollars. Lines are kept as they came.
CREATE STREAMING TABLE bronze.order_lines
COMMENT 'Lines of the shop''s monthly export, as delivered'
AS SELECT value AS line FROM STREAM read_files('landing/*.txt', format => 'text');
