"""What a query's syntax tree may hold and still only read, by the parser's names, and words that precede parentheses.

The parser knows over a thousand kinds of node. Those that are not here make a query unknown, whatever
they are.
"""

from __future__ import annotations

from cockpit.guard.languages.words import words

READING = words(
    """
                ColumnConstraint PathColumnConstraint ForClause Connect Final Alias Aliases All Any
        AtIndex AtTimeZone Between BitString BitwiseAnd
    BitwiseLeftShift BitwiseNot
    BitwiseOr BitwiseRightShift BitwiseXor Boolean Bracket ByteString CTE CharacterSet Column ColumnDef
    ColumnPosition Comprehension Condition Cube DPipe DataType DataTypeParam DerivedTable Describe Distance
    Distinct Div Dot EQ Escape Except ExtendsLeft ExtendsRight Fetch Filter ForIn FormatJson From FromTimeZone
    GT GTE Glob Group GroupingSets Having HavingMax Heredoc HexString Hint HistoricalData ILike Identifier
    IgnoreNulls In IndexTableHint IntDiv Intersect Interval IntervalOp IntervalSpan Introducer Is JSON
    JSONColumnDef JSONExtractQuote JSONKeyValue JSONPath JSONPathFilter JSONPathKey JSONPathPart
    JSONPathRecursive JSONPathRoot JSONPathScript JSONPathSelector JSONPathSlice JSONPathSubscript
    JSONPathUnion JSONPathWildcard JSONSchema JSONValue Join JoinHint Kwarg LT LTE Lambda Lateral Like Limit
    LimitOptions Literal Match MatchRecognize MatchRecognizeMeasure Mod Mul NEQ National Neg NestedJSONSelect
    Not Null NullSafeEQ NullSafeNEQ ObjectIdentifier Offset OnCondition OpenJSONColumnDef Operator Order
    Ordered Overlaps OverflowTruncateBehavior Parameter Paren Partition PartitionId Pivot PivotAlias PivotAny
    Placeholder PositionalColumn PreWhere Prior PropertyEQ PseudoType Pseudocolumn Qualify Query QueryOption
    RawString RecursiveWithSearch Reference RespectNulls Rollup Schema Select Selectable SessionParameter
    SetOperation SettingsProperty SimilarTo SkipJSONColumn Slice Sort Cluster Distribute Star Stream Sub
    Subquery SubqueryPredicate Summarize Table TableAlias TableColumn TableFromRows TableSample Add Tuple UDTF
    Union UnicodeString UnpivotColumns Values Var Variadic Version Where Window WindowSpec With WithFill
    WithTableHint WithinGroup XMLKeyValueOption XMLNamespace JSONExists Adjacent NEQ ExplodeOuter And Or Xor
    Connector Binary Unary Predicate Semicolon
    """
)
"""Kinds of node besides functions."""
NOT_READING = words(
    """
    Anonymous AnonymousAggFunc NextValueFor AIAgg AIClassify AIEmbed AIForecast AIGenerate AISimilarity
    AISummarizeAgg MLForecast MLTranslate Predict GenerateBool GenerateDouble GenerateEmbedding GenerateInt
    GenerateTable GenerateText FeaturesAtTime DynamicIdentifier Secret QueryTransform ToFile Apply
    """
)
"""Kinds of function that are judged by name, that reach outside or that write."""
SYNTAX = words(
    """
        AT BEFORE ALL AND ANY ARRAY AS ASOF BERNOULLI BETWEEN BY CASE CAST COLUMNS CROSS CUBE DISTINCT
    DISTINCTROW DIV ELSE
    END ESCAPE EXCEPT EXCLUDE EXISTS FETCH FILTER FINAL FIRST FOR FROM FULL GROUP GROUPING GROUPS HAVING IF
    ILIKE IN INNER INTERSECT INTERVAL INTO IS JOIN KEYS LATERAL LEFT LIKE LIMIT MATERIALIZED MATCH_RECOGNIZE
    MINUS MOD NATURAL NEXT NOT OF OFFSET ON OR ORDER OUTER OVER PARTITION PIVOT PREWHERE QUALIFY RANGE REGEXP
    RENAME REPEATABLE REPLACE RETURNING RIGHT RLIKE ROLLUP ROW ROWS SAMPLE SELECT SETS SET SETTINGS SIMILAR
    SOME STRUCT SYSTEM TABLE TABLESAMPLE THEN TO TOP TUPLE UNION UNIQUE UNNEST UNPIVOT USING VALUES VIEW WHEN
    WHERE WINDOW WITH WITHIN XOR APPLY OPENJSON OVERLAPS OPTION INDEX KEY FORCE USE IGNORE MATCHED MERGE
    UPDATE INSERT DELETE CONFLICT DUPLICATE DEFAULT DO LAST NOTHING PATH ORDINALITY REF SYMMETRIC ASYMMETRIC
    PERCENT AGAINST MATCH MEMBER XMLNAMESPACES PASSING MEASURES PATTERN DEFINE CONNECT START
    """
)
"""Words that may be before a parenthesis without being a function."""
TYPES = words(
    """
    BIGINT BINARY BIT BLOB BPCHAR BYTEA BYTES CHAR CHARACTER CLOB DATE DATETIME DATETIME2 DATETIME64
    DATETIMEOFFSET DEC DECIMAL DOUBLE ENUM ENUM16 ENUM8 FIXEDSTRING FLOAT FLOAT4 FLOAT8 GEOMETRY INT INT1 INT2
    INT4 INT8 INTEGER LONGBLOB LONGTEXT LOWCARDINALITY MAP MEDIUMINT MEDIUMTEXT MONEY NATIONAL NCHAR NESTED
    NULLABLE NUMBER NUMERIC NVARCHAR NVARCHAR2 PRECISION RAW REAL SIGNED SMALLINT STRING TEXT TIME TIMESTAMP
    TIMESTAMPTZ TIMETZ TINYINT UNSIGNED VARBINARY VARBIT VARCHAR VARCHAR2 VARYING VECTOR XML YEAR ZONE
    """
)
"""Types that are written with a length."""
RESERVED_TSQL = words(
    """
        SELECT SET ALTER BACKUP BULK CHECKPOINT CLOSE COMMIT CREATE DBCC DEALLOCATE DECLARE DELETE DENY
    DROP EXEC EXECUTE
    FETCH GRANT INSERT KILL MERGE OPEN PRINT RAISERROR READTEXT RECONFIGURE RESTORE REVERT REVOKE ROLLBACK
    SAVE SETUSER SHUTDOWN TRUNCATE UPDATE UPDATETEXT USE WAITFOR WHILE WRITETEXT IF BEGIN RETURN GOTO THROW
    """
)
"""Words that start another statement of SQL Server's where no semicolon is before them."""
HINTS_TSQL = words(
    "NOLOCK READUNCOMMITTED READPAST READCOMMITTED ROWLOCK NOEXPAND NOWAIT FORCESEEK FORCESCAN"
)
"""Hints about a table that lock nothing more than reading does."""
