-- equal: homeAddress.country = "US"
-     p1."homeAddress"."country" = 'US'
+     tupleElement(p1."homeAddress", 'country') = 'US'
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- not_among: homeAddress.city notIn ["Rome", "Köln"]
-       p1."homeAddress"."city" IN ('Rome', 'Köln')
+       tupleElement(p1."homeAddress", 'city') IN ('Rome', 'Köln')
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- starts: person.name.startsWith("JO", false)
-   STARTS_WITH(LOWER(REPLACE(REPLACE(p1."person"."name", 'İ', 'i̇'), 'Σ', 'σ')), 'jo');
+   startsWith(
+     lowerUTF8(replaceAll(replaceAll(tupleElement(p1."person", 'name'), 'İ', 'i̇'), 'Σ', 'σ')),
+     'jo'
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- like_signs: person.name like "_!%\\\\%"
-     p1."person"."name" LIKE '_!!%\%' ESCAPE '!'
+     tupleElement(p1."person", 'name') LIKE '_!%\\\\%'
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- quotes: person.name = "it's \\ \"q\""
-     p1."person"."name" = 'it''s \ "q"'
+     tupleElement(p1."person", 'name') = 'it''s \\ "q"'
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- matches: person.name.matches("(?i)^jo.*n$")
-   REGEXP_MATCHES(p1."person"."name", '(?i)^jo.*n$');
+   match(tupleElement(p1."person", 'name'), '(?-s)(?i)^jo.*n$')
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- arithmetic: (loyalty.points * 3 - person.age) / 2 > -20.5
-                   CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                   CAST(tupleElement(p1."loyalty", 'points') AS Nullable(Int128)) * CAST(3 AS Nullable(Int128))
-                 ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
+                 ) BETWEEN CAST('-9223372036854775808' AS Nullable(Int128)) AND CAST('9223372036854775807' AS Nullable(Int128))
-                   CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
-                 ) AS BIGINT)
-               END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
+                   CAST(tupleElement(p1."loyalty", 'points') AS Nullable(Int128)) * CAST(3 AS Nullable(Int128))
+                 ) AS Nullable(Int64))
+               END AS Nullable(Int128)) - CAST(tupleElement(p1."person", 'age') AS Nullable(Int128))
-             ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
+             ) BETWEEN CAST('-9223372036854775808' AS Nullable(Int128)) AND CAST('9223372036854775807' AS Nullable(Int128))
-                   CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                   CAST(tupleElement(p1."loyalty", 'points') AS Nullable(Int128)) * CAST(3 AS Nullable(Int128))
-                 ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
+                 ) BETWEEN CAST('-9223372036854775808' AS Nullable(Int128)) AND CAST('9223372036854775807' AS Nullable(Int128))
-                   CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
-                 ) AS BIGINT)
-               END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
-             ) AS BIGINT)
-           END AS DOUBLE) AS DOUBLE) / NULLIF(CAST(CAST('2.0' AS DOUBLE) AS DOUBLE), 0)
+                   CAST(tupleElement(p1."loyalty", 'points') AS Nullable(Int128)) * CAST(3 AS Nullable(Int128))
+                 ) AS Nullable(Int64))
+               END AS Nullable(Int128)) - CAST(tupleElement(p1."person", 'age') AS Nullable(Int128))
+             ) AS Nullable(Int64))
+           END AS Nullable(Float64)) AS Nullable(Float64)) / NULLIF(CAST(CAST('2.0' AS Nullable(Float64)) AS Nullable(Float64)), 0)
-       ) <= CAST('1.7976931348623157e308' AS DOUBLE)
+       ) <= CAST('1.7976931348623157e308' AS Nullable(Float64))
-                 CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                 CAST(tupleElement(p1."loyalty", 'points') AS Nullable(Int128)) * CAST(3 AS Nullable(Int128))
-               ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
+               ) BETWEEN CAST('-9223372036854775808' AS Nullable(Int128)) AND CAST('9223372036854775807' AS Nullable(Int128))
-                 CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
-               ) AS BIGINT)
-             END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
+                 CAST(tupleElement(p1."loyalty", 'points') AS Nullable(Int128)) * CAST(3 AS Nullable(Int128))
+               ) AS Nullable(Int64))
+             END AS Nullable(Int128)) - CAST(tupleElement(p1."person", 'age') AS Nullable(Int128))
-           ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
+           ) BETWEEN CAST('-9223372036854775808' AS Nullable(Int128)) AND CAST('9223372036854775807' AS Nullable(Int128))
-                 CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                 CAST(tupleElement(p1."loyalty", 'points') AS Nullable(Int128)) * CAST(3 AS Nullable(Int128))
-               ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
+               ) BETWEEN CAST('-9223372036854775808' AS Nullable(Int128)) AND CAST('9223372036854775807' AS Nullable(Int128))
-                 CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
-               ) AS BIGINT)
-             END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
-           ) AS BIGINT)
-         END AS DOUBLE) AS DOUBLE) / NULLIF(CAST(CAST('2.0' AS DOUBLE) AS DOUBLE), 0)
+                 CAST(tupleElement(p1."loyalty", 'points') AS Nullable(Int128)) * CAST(3 AS Nullable(Int128))
+               ) AS Nullable(Int64))
+             END AS Nullable(Int128)) - CAST(tupleElement(p1."person", 'age') AS Nullable(Int128))
+           ) AS Nullable(Int64))
+         END AS Nullable(Float64)) AS Nullable(Float64)) / NULLIF(CAST(CAST('2.0' AS Nullable(Float64)) AS Nullable(Float64)), 0)
-     END > CAST('-20.5' AS DOUBLE)
+     END > CAST('-20.5' AS Nullable(Float64))
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- decimals: loyalty.balance * 1.5 = 0.000002 or loyalty.balance + 0.1 > 3
-         WHEN ROUND(
-           CAST(p1."loyalty"."balance" AS DECIMAL(19, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
+         WHEN round(
+           CAST(tupleElement(p1."loyalty", 'balance') AS Nullable(Decimal(38, 6))) * CAST(CAST('1.5' AS Nullable(Decimal(18, 6))) AS Nullable(Decimal(38, 6))),
-         ) BETWEEN CAST('-999999999999.999999' AS DECIMAL(38, 6)) AND CAST('999999999999.999999' AS DECIMAL(38, 6))
+         ) BETWEEN CAST('-999999999999.999999' AS Nullable(Decimal(38, 6))) AND CAST('999999999999.999999' AS Nullable(Decimal(38, 6)))
-         THEN CAST(ROUND(
+         THEN CAST(round(
-           CAST(p1."loyalty"."balance" AS DECIMAL(19, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
+           CAST(tupleElement(p1."loyalty", 'balance') AS Nullable(Decimal(38, 6))) * CAST(CAST('1.5' AS Nullable(Decimal(18, 6))) AS Nullable(Decimal(38, 6))),
-         ) AS DECIMAL(18, 6))
+         ) AS Nullable(Decimal(18, 6)))
-       END = CAST('0.000002' AS DECIMAL(18, 6))
+       END = CAST('0.000002' AS Nullable(Decimal(18, 6)))
-           CAST(p1."loyalty"."balance" AS DECIMAL(38, 6)) + CAST(CAST('0.1' AS DECIMAL(18, 6)) AS DECIMAL(38, 6))
+           CAST(tupleElement(p1."loyalty", 'balance') AS Nullable(Decimal(38, 6))) + CAST(CAST('0.1' AS Nullable(Decimal(18, 6))) AS Nullable(Decimal(38, 6)))
-         ) BETWEEN CAST('-999999999999.999999' AS DECIMAL(38, 6)) AND CAST('999999999999.999999' AS DECIMAL(38, 6))
+         ) BETWEEN CAST('-999999999999.999999' AS Nullable(Decimal(38, 6))) AND CAST('999999999999.999999' AS Nullable(Decimal(38, 6)))
-           CAST(p1."loyalty"."balance" AS DECIMAL(38, 6)) + CAST(CAST('0.1' AS DECIMAL(18, 6)) AS DECIMAL(38, 6))
-         ) AS DECIMAL(18, 6))
-       END > 3
+           CAST(tupleElement(p1."loyalty", 'balance') AS Nullable(Decimal(38, 6))) + CAST(CAST('0.1' AS Nullable(Decimal(18, 6))) AS Nullable(Decimal(38, 6)))
+         ) AS Nullable(Decimal(18, 6)))
+       END > CAST(3 AS Nullable(Decimal(38, 6)))
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- remainder: (person.age - 40) % 7 = -1
-     MOD(
+     CAST(modulo(
-           CAST(p1."person"."age" AS DECIMAL(38, 0)) - CAST(40 AS DECIMAL(38, 0))
+           CAST(tupleElement(p1."person", 'age') AS Nullable(Int128)) - CAST(40 AS Nullable(Int128))
-         ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
+         ) BETWEEN CAST('-9223372036854775808' AS Nullable(Int128)) AND CAST('9223372036854775807' AS Nullable(Int128))
-           CAST(p1."person"."age" AS DECIMAL(38, 0)) - CAST(40 AS DECIMAL(38, 0))
-         ) AS BIGINT)
+           CAST(tupleElement(p1."person", 'age') AS Nullable(Int128)) - CAST(40 AS Nullable(Int128))
+         ) AS Nullable(Int64))
-       NULLIF(7, 0)
-     ) = -1
+       nullIf(7, 0)
+     ) AS Nullable(Int64)) = -1
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- weekday: loyalty.joined.dayOfWeek() >= 6
-     EXTRACT(ISODOW FROM p1."loyalty"."joined") >= 6
+     toDayOfWeek(tupleElement(p1."loyalty", 'joined')) >= 6
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- birthday_month: person.birthDate occurs this month ignoring year
+     WHEN addDays(
+       toDateTime64(
+         toStartOfDay(
+           addMonths(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC'), 1)
-     WHEN (
-       CAST(DATE_TRUNC(
-         'day',
-         (
-           CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-         )
+         ),
+         6,
+         'UTC'
-       ) AS TIMESTAMP) + TO_DAYS(-1)
-     ) >= (
-       CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(365)
-     )
+       ),
-     THEN NOT CAST(p1."person"."birthDate" AS TIMESTAMP) IS NULL
+       -1
+     ) >= addDays(
+       toDateTime64(
+         toStartOfDay(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC')),
+         6,
+         'UTC'
+       ),
+       365
+     )
+     THEN NOT (
+       CAST(tupleElement(p1."person", 'birthDate') AS Nullable(DateTime64(6, 'UTC'))) IS NULL
+     )
-         EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
-       ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+         CAST(toMonth(
+           toDateTime64(
+             toStartOfDay(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC')),
+             6,
+             'UTC'
+           )
+         ) AS Nullable(Int64)) * 100
+       ) + CAST(toDayOfMonth(
+         toDateTime64(
+           toStartOfDay(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC')),
+           6,
+           'UTC'
+         )
+       ) AS Nullable(Int64))
-           EXTRACT(MONTH FROM (
+           CAST(toMonth(
-             (
+             addDays(
-               CAST(DATE_TRUNC(
-                 'day',
+               addDays(
+                 toDateTime64(
+                   toStartOfDay(
+                     addMonths(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC'), 1)
-                 (
+                   ),
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                   6,
+                   'UTC'
-                 )
+                 ),
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             ) + TO_DAYS(1)
-           )) * 100
-         ) + EXTRACT(DAY FROM (
-           (
-             CAST(DATE_TRUNC(
-               'day',
-               (
+                 -1
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-               )
+               ),
-             ) AS TIMESTAMP) + TO_DAYS(-1)
-           ) + TO_DAYS(1)
+               1
+             )
+           ) AS Nullable(Int64)) * 100
+         ) + CAST(toDayOfMonth(
+           addDays(
+             addDays(
+               toDateTime64(
+                 toStartOfDay(
+                   addMonths(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC'), 1)
+                 ),
+                 6,
+                 'UTC'
+               ),
+               -1
+             ),
+             1
-         ))
+           )
+         ) AS Nullable(Int64))
+           CAST(toMonth(
-           EXTRACT(MONTH FROM (
-             CAST(DATE_TRUNC(
-               'day',
+             addDays(
+               toDateTime64(
+                 toStartOfDay(
+                   addMonths(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC'), 1)
-               (
+                 ),
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                 6,
+                 'UTC'
-               )
+               ),
+               -1
-             ) AS TIMESTAMP) + TO_DAYS(-1)
-           )) * 100
-         ) + EXTRACT(DAY FROM (
-           CAST(DATE_TRUNC(
-             'day',
-             (
+             )
-               CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+           ) AS Nullable(Int64)) * 100
+         ) + CAST(toDayOfMonth(
+           addDays(
+             toDateTime64(
+               toStartOfDay(
+                 addMonths(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC'), 1)
+               ),
+               6,
+               'UTC'
-             )
+             ),
-           ) AS TIMESTAMP) + TO_DAYS(-1)
+             -1
-         ))
+           )
+         ) AS Nullable(Int64))
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+           CAST(toMonth(CAST(tupleElement(p1."person", 'birthDate') AS Nullable(DateTime64(6, 'UTC')))) AS Nullable(Int64)) * 100
+         ) + CAST(toDayOfMonth(CAST(tupleElement(p1."person", 'birthDate') AS Nullable(DateTime64(6, 'UTC')))) AS Nullable(Int64))
-           EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+           CAST(toMonth(
+             toDateTime64(
+               toStartOfDay(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC')),
+               6,
+               'UTC'
+             )
+           ) AS Nullable(Int64)) * 100
+         ) + CAST(toDayOfMonth(
+           toDateTime64(
+             toStartOfDay(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC')),
+             6,
+             'UTC'
+           )
+         ) AS Nullable(Int64))
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+           CAST(toMonth(CAST(tupleElement(p1."person", 'birthDate') AS Nullable(DateTime64(6, 'UTC')))) AS Nullable(Int64)) * 100
+         ) + CAST(toDayOfMonth(CAST(tupleElement(p1."person", 'birthDate') AS Nullable(DateTime64(6, 'UTC')))) AS Nullable(Int64))
-             EXTRACT(MONTH FROM (
+             CAST(toMonth(
-               (
+               addDays(
-                 CAST(DATE_TRUNC(
-                   'day',
+                 addDays(
+                   toDateTime64(
+                     toStartOfDay(
+                       addMonths(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC'), 1)
-                   (
+                     ),
-                     CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                     6,
+                     'UTC'
-                   )
+                   ),
-                 ) AS TIMESTAMP) + TO_DAYS(-1)
-               ) + TO_DAYS(1)
-             )) * 100
-           ) + EXTRACT(DAY FROM (
-             (
-               CAST(DATE_TRUNC(
-                 'day',
-                 (
+                   -1
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                 )
+                 ),
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             ) + TO_DAYS(1)
+                 1
+               )
+             ) AS Nullable(Int64)) * 100
+           ) + CAST(toDayOfMonth(
+             addDays(
+               addDays(
+                 toDateTime64(
+                   toStartOfDay(
+                     addMonths(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC'), 1)
+                   ),
+                   6,
+                   'UTC'
+                 ),
+                 -1
+               ),
+               1
-           ))
+             )
+           ) AS Nullable(Int64))
+             CAST(toMonth(
-             EXTRACT(MONTH FROM (
-               CAST(DATE_TRUNC(
-                 'day',
+               addDays(
+                 toDateTime64(
+                   toStartOfDay(
+                     addMonths(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC'), 1)
-                 (
+                   ),
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                   6,
+                   'UTC'
-                 )
+                 ),
+                 -1
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             )) * 100
-           ) + EXTRACT(DAY FROM (
-             CAST(DATE_TRUNC(
-               'day',
-               (
+               )
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+             ) AS Nullable(Int64)) * 100
+           ) + CAST(toDayOfMonth(
+             addDays(
+               toDateTime64(
+                 toStartOfDay(
+                   addMonths(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC'), 1)
+                 ),
+                 6,
+                 'UTC'
-               )
+               ),
-             ) AS TIMESTAMP) + TO_DAYS(-1)
+               -1
-           ))
+             )
+           ) AS Nullable(Int64))
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+           CAST(toMonth(CAST(tupleElement(p1."person", 'birthDate') AS Nullable(DateTime64(6, 'UTC')))) AS Nullable(Int64)) * 100
+         ) + CAST(toDayOfMonth(CAST(tupleElement(p1."person", 'birthDate') AS Nullable(DateTime64(6, 'UTC')))) AS Nullable(Int64))
-           EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+           CAST(toMonth(
+             toDateTime64(
+               toStartOfDay(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC')),
+               6,
+               'UTC'
+             )
+           ) AS Nullable(Int64)) * 100
+         ) + CAST(toDayOfMonth(
+           toDateTime64(
+             toStartOfDay(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC')),
+             6,
+             'UTC'
+           )
+         ) AS Nullable(Int64))
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+           CAST(toMonth(CAST(tupleElement(p1."person", 'birthDate') AS Nullable(DateTime64(6, 'UTC')))) AS Nullable(Int64)) * 100
+         ) + CAST(toDayOfMonth(CAST(tupleElement(p1."person", 'birthDate') AS Nullable(DateTime64(6, 'UTC')))) AS Nullable(Int64))
-             EXTRACT(MONTH FROM (
+             CAST(toMonth(
-               (
+               addDays(
-                 CAST(DATE_TRUNC(
-                   'day',
+                 addDays(
+                   toDateTime64(
+                     toStartOfDay(
+                       addMonths(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC'), 1)
-                   (
+                     ),
-                     CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                     6,
+                     'UTC'
-                   )
+                   ),
-                 ) AS TIMESTAMP) + TO_DAYS(-1)
-               ) + TO_DAYS(1)
-             )) * 100
-           ) + EXTRACT(DAY FROM (
-             (
-               CAST(DATE_TRUNC(
-                 'day',
-                 (
+                   -1
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                 )
+                 ),
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             ) + TO_DAYS(1)
+                 1
+               )
+             ) AS Nullable(Int64)) * 100
+           ) + CAST(toDayOfMonth(
+             addDays(
+               addDays(
+                 toDateTime64(
+                   toStartOfDay(
+                     addMonths(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC'), 1)
+                   ),
+                   6,
+                   'UTC'
+                 ),
+                 -1
+               ),
+               1
-           ))
+             )
+           ) AS Nullable(Int64))
+             CAST(toMonth(
-             EXTRACT(MONTH FROM (
-               CAST(DATE_TRUNC(
-                 'day',
+               addDays(
+                 toDateTime64(
+                   toStartOfDay(
+                     addMonths(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC'), 1)
-                 (
+                   ),
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                   6,
+                   'UTC'
-                 )
+                 ),
+                 -1
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             )) * 100
-           ) + EXTRACT(DAY FROM (
-             CAST(DATE_TRUNC(
-               'day',
-               (
+               )
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+             ) AS Nullable(Int64)) * 100
+           ) + CAST(toDayOfMonth(
+             addDays(
+               toDateTime64(
+                 toStartOfDay(
+                   addMonths(toDateTime64(toStartOfMonth({now: DateTime64(6, 'UTC')}), 6, 'UTC'), 1)
+                 ),
+                 6,
+                 'UTC'
-               )
+               ),
-             ) AS TIMESTAMP) + TO_DAYS(-1)
+               -1
-           ))
+             )
+           ) AS Nullable(Int64))
-   END;
+   END
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- joined_window: loyalty.joined occurs <= 3 months before now
+     tupleElement(p1."loyalty", 'joined') >= addMonths({now: DateTime64(6, 'UTC')}, -3)
+     AND tupleElement(p1."loyalty", 'joined') <= {now: DateTime64(6, 'UTC')}
-     p1."loyalty"."joined" >= (
-       CAST($now AS TIMESTAMP) + TO_MONTHS(-3)
-     )
-     AND p1."loyalty"."joined" <= CAST($now AS TIMESTAMP)
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- joined_week: loyalty.joined occurs last week
+     tupleElement(p1."loyalty", 'joined') >= addDays(toDateTime64(toMonday({now: DateTime64(6, 'UTC')}), 6, 'UTC'), -7)
+     AND tupleElement(p1."loyalty", 'joined') < addDays(addDays(toDateTime64(toMonday({now: DateTime64(6, 'UTC')}), 6, 'UTC'), -7), 7)
-     p1."loyalty"."joined" >= (
-       CAST(DATE_TRUNC('week', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(-7)
-     )
-     AND p1."loyalty"."joined" < (
-       (
-         CAST(DATE_TRUNC('week', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(-7)
-       ) + TO_DAYS(7)
-     )
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- map_value: attributes.get("city") = "Rome"
-     MAP_EXTRACT_VALUE(p1."attributes", 'city') = 'Rome'
+     arrayElement(p1."attributes", 'city') = 'Rome'
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- member_elsewhere: inSegment("elsewhere")
-       MAP_EXTRACT_VALUE(MAP_EXTRACT_VALUE(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'realized'
+       tupleElement(arrayElement(arrayElement(p1."segmentMembership", 'ups'), 'elsewhere'), 'status') = 'realized'
-       MAP_EXTRACT_VALUE(MAP_EXTRACT_VALUE(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'existing'
+       tupleElement(arrayElement(arrayElement(p1."segmentMembership", 'ups'), 'elsewhere'), 'status') = 'existing'
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- list_some: favoriteColors = "red"
-     CROSS JOIN UNNEST(p2."favoriteColors") AS u1(x1)
+     ARRAY JOIN p2."favoriteColors" AS x1
-         u1.x1 = 'red'
+         x1 = 'red'
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- order_total: orders.sum(price) > 20 and orders.count() >= 2
-     CAST(SUM(CAST(u1.x1."price" AS DECIMAL(38, 6))) AS DECIMAL(18, 6)) AS v
+     CASE
+       WHEN throwIf(
+         coalesce(
+           abs(SUM(CAST(tupleElement(x1, 'price') AS Nullable(Decimal(38, 6))))) >= 1000000000000,
+           FALSE
+         ),
+         'sum out of range (PQL0601)'
+       ) = 0
+       THEN CAST(SUM(CAST(tupleElement(x1, 'price') AS Nullable(Decimal(38, 6)))) AS Nullable(Decimal(18, 6)))
+     END AS v
-   CROSS JOIN UNNEST(p2."orders") AS u1(x1)
+   ARRAY JOIN p2."orders" AS x1
-     NOT u1.x1."price" IS NULL
+     NOT (
+       tupleElement(x1, 'price') IS NULL
+     )
-   CROSS JOIN UNNEST(p3."orders") AS u2(x2)
+   ARRAY JOIN p3."orders" AS x2
+     NOT (
-     NOT u2.x2 IS NULL
+       x2 IS NULL
+     )
-     COALESCE(a1.v, CAST(0 AS DECIMAL(18, 6))) > 20
+     COALESCE(a1.v, CAST(0 AS Nullable(Decimal(18, 6)))) > CAST(20 AS Nullable(Decimal(38, 6)))
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- order_mean: orders.average(quantity) > 2.5
-       CAST(SUM(CAST(u1.x1."quantity" AS DECIMAL(38, 0))) AS DOUBLE) / NULLIF(CAST(COUNT(u1.x1."quantity") AS DOUBLE), 0)
+       CAST(SUM(CAST(tupleElement(x1, 'quantity') AS Nullable(Int128))) AS Nullable(Float64)) / NULLIF(CAST(COUNT(tupleElement(x1, 'quantity')) AS Nullable(Float64)), 0)
-   CROSS JOIN UNNEST(p2."orders") AS u1(x1)
+   ARRAY JOIN p2."orders" AS x1
-     NOT u1.x1."quantity" IS NULL
+     NOT (
+       tupleElement(x1, 'quantity') IS NULL
+     )
-     a1.v > CAST('2.5' AS DOUBLE)
+     a1.v > CAST('2.5' AS Nullable(Float64))
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- counted: xEvent[eventType = "view" and timestamp occurs <= 30 days before now].count() >= 2
+       e1."timestamp" >= addDays({now: DateTime64(6, 'UTC')}, -30)
+       AND e1."timestamp" <= {now: DateTime64(6, 'UTC')}
-       e1."timestamp" >= (
-         CAST($now AS TIMESTAMP) + TO_DAYS(-30)
-       )
-       AND e1."timestamp" <= CAST($now AS TIMESTAMP)
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- pages: xEvent.page.distinct().count() >= 3
+     NOT (
-     NOT e1."page" IS NULL
+       e1."page" IS NULL
+     )
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- least_page: xEvent.min(page) = "A"
+     NOT (
-     NOT e1."page" IS NULL
+       e1."page" IS NULL
+     )
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- same_item: xEvent[productListItems[SKU = "PS" and quantity > 2]].count() >= 1
+     arrayExists(
+       x1 -> (
+         COALESCE((
+           tupleElement(x1, 'SKU') = 'PS'
+         ), FALSE)
+         AND COALESCE((
+           tupleElement(x1, 'quantity') > 2
+         ), FALSE)
-     EXISTS(
-       SELECT
-         1
-       FROM UNNEST(e1."productListItems") AS u1(x1)
-       WHERE
-         (
-           (
-             u1.x1."SKU" = 'PS'
-           ) AND (
-             u1.x1."quantity" > 2
-           )
-         )
+       ),
+       e1."productListItems"
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- same_item_exists: exists E from xEvent where E.eventType = "buy", I from E.productListItems where I.SKU = "PS"
-     CROSS JOIN UNNEST(e1."productListItems") AS u1(x1)
+     ARRAY JOIN e1."productListItems" AS x1
-         u1.x1."SKU" = 'PS'
+         tupleElement(x1, 'SKU') = 'PS'
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- item_total: xEvent[eventType = "buy"].productListItems.sum(priceTotal) > 12
-     CAST(SUM(CAST(u1.x1."priceTotal" AS DECIMAL(38, 6))) AS DECIMAL(18, 6)) AS v
+     CASE
+       WHEN throwIf(
+         coalesce(
+           abs(SUM(CAST(tupleElement(x1, 'priceTotal') AS Nullable(Decimal(38, 6))))) >= 1000000000000,
+           FALSE
+         ),
+         'sum out of range (PQL0601)'
+       ) = 0
+       THEN CAST(SUM(CAST(tupleElement(x1, 'priceTotal') AS Nullable(Decimal(38, 6)))) AS Nullable(Decimal(18, 6)))
+     END AS v
-   CROSS JOIN UNNEST(e1."productListItems") AS u1(x1)
+   ARRAY JOIN e1."productListItems" AS x1
-     AND NOT u1.x1 IS NULL
-     AND NOT u1.x1."priceTotal" IS NULL
+     AND NOT (
+       x1 IS NULL
+     )
+     AND NOT (
+       tupleElement(x1, 'priceTotal') IS NULL
+     )
-     COALESCE(a1.v, CAST(0 AS DECIMAL(18, 6))) > 12
+     COALESCE(a1.v, CAST(0 AS Nullable(Decimal(18, 6)))) > CAST(12 AS Nullable(Decimal(38, 6)))
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- items_per_event: xEvent[productListItems.count() >= 2].count() > 1
+       COALESCE(arrayCount(x1 -> TRUE, e1."productListItems"), 0) >= 2
-       (
-         SELECT
-           COUNT(*)
-         FROM UNNEST(e1."productListItems") AS u1(x1)
-       ) >= 2
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- profile_in_item: xEvent[productListItems[name = person.name]].count() > 0
+     arrayExists(
+       x1 -> COALESCE((
+         tupleElement(x1, 'name') = tupleElement(p2."person", 'name')
+       ), FALSE),
+       e1."productListItems"
-     EXISTS(
-       SELECT
-         1
-       FROM UNNEST(e1."productListItems") AS u1(x1)
-       WHERE
-         (
-           u1.x1."name" = p2."person"."name"
-         )
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- last_page: xEvent.topN(timestamp, 1).head().page = "A"
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- look_back: chain(xEvent, timestamp, [A: WHAT(eventType = "view"), B: WHAT(page = A.page and eventType = "buy")])
+       NOT (
-       NOT e1."timestamp" IS NULL
+         e1."timestamp" IS NULL
+       )
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- excluded: chain(xEvent, timestamp, [A: WHAT(eventType = "view"), X: not WHAT(eventType = "add"), B: WHAT(eventType = "buy")])
+       NOT (
-       NOT e1."timestamp" IS NULL
+         e1."timestamp" IS NULL
+       )
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- abandoned: chain(xEvent, timestamp, [A: WHAT(eventType = "add"), B: not WHAT(eventType = "buy") WHEN(< 2 days after A)])
+       NOT (
-       NOT e1."timestamp" IS NULL
+         e1."timestamp" IS NULL
+       )
+       AND {now: DateTime64(6, 'UTC')} >= addDays(e1."timestamp", 2)
-       AND CAST($now AS TIMESTAMP) >= (
-         e1."timestamp" + TO_DAYS(2)
-       )
+             e2."timestamp" >= e1."timestamp" AND e2."timestamp" < addDays(e1."timestamp", 2)
-             e2."timestamp" >= e1."timestamp"
-             AND e2."timestamp" < (
-               e1."timestamp" + TO_DAYS(2)
-             )
-   );
+   )
+ SETTINGS join_use_nulls = 1, enable_extended_results_for_datetime_functions = 1;

-- top: orders.topN(price, 2).sum(price) > 5
-- the same
