-- equal: homeAddress.country = "US"
-- the same

-- not_among: homeAddress.city notIn ["Rome", "Köln"]
-- the same

-- starts: person.name.startsWith("JO", false)
-- the same

-- like_signs: person.name like "_!%\\\\%"
-     p1."person"."name" LIKE '_!!%\%' ESCAPE '!'
+     p1."person"."name" LIKE '_!%\\\\%'

-- quotes: person.name = "it's \\ \"q\""
-     p1."person"."name" = 'it''s \ "q"'
+     p1."person"."name" = 'it\'s \\ "q"'

-- matches: person.name.matches("(?i)^jo.*n$")
-   REGEXP_MATCHES(p1."person"."name", '(?i)^jo.*n$');
+   REGEXP_CONTAINS(p1."person"."name", '(?i)^jo.*n$');

-- arithmetic: (loyalty.points * 3 - person.age) / 2 > -20.5
-                   CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                   CAST(p1."loyalty"."points" AS BIGNUMERIC) * CAST(3 AS BIGNUMERIC)
-                 ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
+                 ) BETWEEN CAST('-9223372036854775808' AS BIGNUMERIC) AND CAST('9223372036854775807' AS BIGNUMERIC)
-                   CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                   CAST(p1."loyalty"."points" AS BIGNUMERIC) * CAST(3 AS BIGNUMERIC)
-                 ) AS BIGINT)
+                 ) AS INT64)
-               END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
+               END AS BIGNUMERIC) - CAST(p1."person"."age" AS BIGNUMERIC)
-             ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
+             ) BETWEEN CAST('-9223372036854775808' AS BIGNUMERIC) AND CAST('9223372036854775807' AS BIGNUMERIC)
-                   CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                   CAST(p1."loyalty"."points" AS BIGNUMERIC) * CAST(3 AS BIGNUMERIC)
-                 ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
+                 ) BETWEEN CAST('-9223372036854775808' AS BIGNUMERIC) AND CAST('9223372036854775807' AS BIGNUMERIC)
-                   CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                   CAST(p1."loyalty"."points" AS BIGNUMERIC) * CAST(3 AS BIGNUMERIC)
-                 ) AS BIGINT)
+                 ) AS INT64)
-               END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
+               END AS BIGNUMERIC) - CAST(p1."person"."age" AS BIGNUMERIC)
-             ) AS BIGINT)
+             ) AS INT64)
-           END AS DOUBLE) AS DOUBLE) / NULLIF(CAST(CAST('2.0' AS DOUBLE) AS DOUBLE), 0)
+           END AS FLOAT64) AS FLOAT64) / NULLIF(CAST(CAST('2.0' AS FLOAT64) AS FLOAT64), 0)
-       ) <= CAST('1.7976931348623157e308' AS DOUBLE)
+       ) <= CAST('1.7976931348623157e308' AS FLOAT64)
-                 CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                 CAST(p1."loyalty"."points" AS BIGNUMERIC) * CAST(3 AS BIGNUMERIC)
-               ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
+               ) BETWEEN CAST('-9223372036854775808' AS BIGNUMERIC) AND CAST('9223372036854775807' AS BIGNUMERIC)
-                 CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                 CAST(p1."loyalty"."points" AS BIGNUMERIC) * CAST(3 AS BIGNUMERIC)
-               ) AS BIGINT)
+               ) AS INT64)
-             END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
+             END AS BIGNUMERIC) - CAST(p1."person"."age" AS BIGNUMERIC)
-           ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
+           ) BETWEEN CAST('-9223372036854775808' AS BIGNUMERIC) AND CAST('9223372036854775807' AS BIGNUMERIC)
-                 CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                 CAST(p1."loyalty"."points" AS BIGNUMERIC) * CAST(3 AS BIGNUMERIC)
-               ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
+               ) BETWEEN CAST('-9223372036854775808' AS BIGNUMERIC) AND CAST('9223372036854775807' AS BIGNUMERIC)
-                 CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                 CAST(p1."loyalty"."points" AS BIGNUMERIC) * CAST(3 AS BIGNUMERIC)
-               ) AS BIGINT)
+               ) AS INT64)
-             END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
+             END AS BIGNUMERIC) - CAST(p1."person"."age" AS BIGNUMERIC)
-           ) AS BIGINT)
+           ) AS INT64)
-         END AS DOUBLE) AS DOUBLE) / NULLIF(CAST(CAST('2.0' AS DOUBLE) AS DOUBLE), 0)
+         END AS FLOAT64) AS FLOAT64) / NULLIF(CAST(CAST('2.0' AS FLOAT64) AS FLOAT64), 0)
-     END > CAST('-20.5' AS DOUBLE)
+     END > CAST('-20.5' AS FLOAT64)

-- decimals: loyalty.balance * 1.5 = 0.000002 or loyalty.balance + 0.1 > 3
-           CAST(p1."loyalty"."balance" AS DECIMAL(19, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
+           CAST(p1."loyalty"."balance" AS BIGNUMERIC) * CAST(CAST('1.5' AS NUMERIC) AS BIGNUMERIC),
-         ) BETWEEN CAST('-999999999999.999999' AS DECIMAL(38, 6)) AND CAST('999999999999.999999' AS DECIMAL(38, 6))
+         ) BETWEEN CAST('-999999999999.999999' AS BIGNUMERIC) AND CAST('999999999999.999999' AS BIGNUMERIC)
-           CAST(p1."loyalty"."balance" AS DECIMAL(19, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
+           CAST(p1."loyalty"."balance" AS BIGNUMERIC) * CAST(CAST('1.5' AS NUMERIC) AS BIGNUMERIC),
-         ) AS DECIMAL(18, 6))
+         ) AS NUMERIC)
-       END = CAST('0.000002' AS DECIMAL(18, 6))
+       END = CAST('0.000002' AS NUMERIC)
-           CAST(p1."loyalty"."balance" AS DECIMAL(38, 6)) + CAST(CAST('0.1' AS DECIMAL(18, 6)) AS DECIMAL(38, 6))
+           CAST(p1."loyalty"."balance" AS BIGNUMERIC) + CAST(CAST('0.1' AS NUMERIC) AS BIGNUMERIC)
-         ) BETWEEN CAST('-999999999999.999999' AS DECIMAL(38, 6)) AND CAST('999999999999.999999' AS DECIMAL(38, 6))
+         ) BETWEEN CAST('-999999999999.999999' AS BIGNUMERIC) AND CAST('999999999999.999999' AS BIGNUMERIC)
-           CAST(p1."loyalty"."balance" AS DECIMAL(38, 6)) + CAST(CAST('0.1' AS DECIMAL(18, 6)) AS DECIMAL(38, 6))
-         ) AS DECIMAL(18, 6))
+           CAST(p1."loyalty"."balance" AS BIGNUMERIC) + CAST(CAST('0.1' AS NUMERIC) AS BIGNUMERIC)
+         ) AS NUMERIC)

-- remainder: (person.age - 40) % 7 = -1
-           CAST(p1."person"."age" AS DECIMAL(38, 0)) - CAST(40 AS DECIMAL(38, 0))
+           CAST(p1."person"."age" AS BIGNUMERIC) - CAST(40 AS BIGNUMERIC)
-         ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
+         ) BETWEEN CAST('-9223372036854775808' AS BIGNUMERIC) AND CAST('9223372036854775807' AS BIGNUMERIC)
-           CAST(p1."person"."age" AS DECIMAL(38, 0)) - CAST(40 AS DECIMAL(38, 0))
+           CAST(p1."person"."age" AS BIGNUMERIC) - CAST(40 AS BIGNUMERIC)
-         ) AS BIGINT)
+         ) AS INT64)

-- weekday: loyalty.joined.dayOfWeek() >= 6
-     EXTRACT(ISODOW FROM p1."loyalty"."joined") >= 6
+     (
+       MOD(EXTRACT(DAYOFWEEK FROM p1."loyalty"."joined") + 5, 7) + 1
+     ) >= 6

-- birthday_month: person.birthDate occurs this month ignoring year
+     WHEN DATETIME_SUB(
+       DATETIME_TRUNC(DATETIME_ADD(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), INTERVAL 1 MONTH), DAY),
+       INTERVAL 1 DAY
+     ) >= DATETIME_ADD(
+       DATETIME_TRUNC(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), DAY),
+       INTERVAL 365 DAY
-     WHEN (
-       CAST(DATE_TRUNC(
-         'day',
-         (
-           CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-         )
-       ) AS TIMESTAMP) + TO_DAYS(-1)
-     ) >= (
-       CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(365)
-     THEN NOT CAST(p1."person"."birthDate" AS TIMESTAMP) IS NULL
+     THEN NOT CAST(p1."person"."birthDate" AS DATETIME) IS NULL
-         EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
-       ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+         EXTRACT(MONTH FROM DATETIME_TRUNC(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), DAY)) * 100
+       ) + EXTRACT(DAY FROM DATETIME_TRUNC(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), DAY))
-           EXTRACT(MONTH FROM (
+           EXTRACT(MONTH FROM DATETIME_ADD(
+             DATETIME_SUB(
+               DATETIME_TRUNC(DATETIME_ADD(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), INTERVAL 1 MONTH), DAY),
+               INTERVAL 1 DAY
-             (
+             ),
+             INTERVAL 1 DAY
-               CAST(DATE_TRUNC(
-                 'day',
-                 (
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                 )
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             ) + TO_DAYS(1)
-         ) + EXTRACT(DAY FROM (
+         ) + EXTRACT(DAY FROM DATETIME_ADD(
+           DATETIME_SUB(
+             DATETIME_TRUNC(DATETIME_ADD(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), INTERVAL 1 MONTH), DAY),
+             INTERVAL 1 DAY
-           (
+           ),
+           INTERVAL 1 DAY
-             CAST(DATE_TRUNC(
-               'day',
-               (
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-               )
-             ) AS TIMESTAMP) + TO_DAYS(-1)
-           ) + TO_DAYS(1)
-           EXTRACT(MONTH FROM (
+           EXTRACT(MONTH FROM DATETIME_SUB(
+             DATETIME_TRUNC(DATETIME_ADD(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), INTERVAL 1 MONTH), DAY),
+             INTERVAL 1 DAY
-             CAST(DATE_TRUNC(
-               'day',
-               (
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-               )
-             ) AS TIMESTAMP) + TO_DAYS(-1)
-         ) + EXTRACT(DAY FROM (
+         ) + EXTRACT(DAY FROM DATETIME_SUB(
+           DATETIME_TRUNC(DATETIME_ADD(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), INTERVAL 1 MONTH), DAY),
+           INTERVAL 1 DAY
-           CAST(DATE_TRUNC(
-             'day',
-             (
-               CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-             )
-           ) AS TIMESTAMP) + TO_DAYS(-1)
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
+           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS DATETIME)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS DATETIME))
-           EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+           EXTRACT(MONTH FROM DATETIME_TRUNC(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), DAY)) * 100
+         ) + EXTRACT(DAY FROM DATETIME_TRUNC(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), DAY))
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
+           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS DATETIME)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS DATETIME))
-             EXTRACT(MONTH FROM (
+             EXTRACT(MONTH FROM DATETIME_ADD(
+               DATETIME_SUB(
+                 DATETIME_TRUNC(DATETIME_ADD(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), INTERVAL 1 MONTH), DAY),
+                 INTERVAL 1 DAY
-               (
+               ),
+               INTERVAL 1 DAY
-                 CAST(DATE_TRUNC(
-                   'day',
-                   (
-                     CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                   )
-                 ) AS TIMESTAMP) + TO_DAYS(-1)
-               ) + TO_DAYS(1)
-           ) + EXTRACT(DAY FROM (
+           ) + EXTRACT(DAY FROM DATETIME_ADD(
+             DATETIME_SUB(
+               DATETIME_TRUNC(DATETIME_ADD(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), INTERVAL 1 MONTH), DAY),
+               INTERVAL 1 DAY
-             (
+             ),
+             INTERVAL 1 DAY
-               CAST(DATE_TRUNC(
-                 'day',
-                 (
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                 )
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             ) + TO_DAYS(1)
-             EXTRACT(MONTH FROM (
+             EXTRACT(MONTH FROM DATETIME_SUB(
+               DATETIME_TRUNC(DATETIME_ADD(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), INTERVAL 1 MONTH), DAY),
+               INTERVAL 1 DAY
-               CAST(DATE_TRUNC(
-                 'day',
-                 (
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                 )
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-           ) + EXTRACT(DAY FROM (
+           ) + EXTRACT(DAY FROM DATETIME_SUB(
+             DATETIME_TRUNC(DATETIME_ADD(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), INTERVAL 1 MONTH), DAY),
+             INTERVAL 1 DAY
-             CAST(DATE_TRUNC(
-               'day',
-               (
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-               )
-             ) AS TIMESTAMP) + TO_DAYS(-1)
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
+           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS DATETIME)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS DATETIME))
-           EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+           EXTRACT(MONTH FROM DATETIME_TRUNC(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), DAY)) * 100
+         ) + EXTRACT(DAY FROM DATETIME_TRUNC(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), DAY))
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
+           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS DATETIME)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS DATETIME))
-             EXTRACT(MONTH FROM (
+             EXTRACT(MONTH FROM DATETIME_ADD(
+               DATETIME_SUB(
+                 DATETIME_TRUNC(DATETIME_ADD(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), INTERVAL 1 MONTH), DAY),
+                 INTERVAL 1 DAY
-               (
+               ),
+               INTERVAL 1 DAY
-                 CAST(DATE_TRUNC(
-                   'day',
-                   (
-                     CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                   )
-                 ) AS TIMESTAMP) + TO_DAYS(-1)
-               ) + TO_DAYS(1)
-           ) + EXTRACT(DAY FROM (
+           ) + EXTRACT(DAY FROM DATETIME_ADD(
+             DATETIME_SUB(
+               DATETIME_TRUNC(DATETIME_ADD(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), INTERVAL 1 MONTH), DAY),
+               INTERVAL 1 DAY
-             (
+             ),
+             INTERVAL 1 DAY
-               CAST(DATE_TRUNC(
-                 'day',
-                 (
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                 )
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             ) + TO_DAYS(1)
-             EXTRACT(MONTH FROM (
+             EXTRACT(MONTH FROM DATETIME_SUB(
+               DATETIME_TRUNC(DATETIME_ADD(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), INTERVAL 1 MONTH), DAY),
+               INTERVAL 1 DAY
-               CAST(DATE_TRUNC(
-                 'day',
-                 (
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                 )
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-           ) + EXTRACT(DAY FROM (
+           ) + EXTRACT(DAY FROM DATETIME_SUB(
+             DATETIME_TRUNC(DATETIME_ADD(DATETIME_TRUNC(CAST(@now AS DATETIME), MONTH), INTERVAL 1 MONTH), DAY),
+             INTERVAL 1 DAY
-             CAST(DATE_TRUNC(
-               'day',
-               (
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-               )
-             ) AS TIMESTAMP) + TO_DAYS(-1)

-- joined_window: loyalty.joined occurs <= 3 months before now
+     p1."loyalty"."joined" >= DATETIME_SUB(CAST(@now AS DATETIME), INTERVAL 3 MONTH)
-     p1."loyalty"."joined" >= (
-       CAST($now AS TIMESTAMP) + TO_MONTHS(-3)
-     )
-     AND p1."loyalty"."joined" <= CAST($now AS TIMESTAMP)
+     AND p1."loyalty"."joined" <= CAST(@now AS DATETIME)

-- joined_week: loyalty.joined occurs last week
+     p1."loyalty"."joined" >= DATETIME_SUB(DATETIME_TRUNC(CAST(@now AS DATETIME), ISOWEEK), INTERVAL 7 DAY)
-     p1."loyalty"."joined" >= (
-       CAST(DATE_TRUNC('week', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(-7)
-     )
-     AND p1."loyalty"."joined" < (
+     AND p1."loyalty"."joined" < DATETIME_ADD(
+       DATETIME_SUB(DATETIME_TRUNC(CAST(@now AS DATETIME), ISOWEEK), INTERVAL 7 DAY),
+       INTERVAL 7 DAY
-       (
-         CAST(DATE_TRUNC('week', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(-7)
-       ) + TO_DAYS(7)

-- map_value: attributes.get("city") = "Rome"
-     MAP_EXTRACT_VALUE(p1."attributes", 'city') = 'Rome'
+     (
+       SELECT
+         x1.value
+       FROM UNNEST(p1."attributes") AS x1
+       WHERE
+         x1.key = 'city'
+     ) = 'Rome'

-- member_elsewhere: inSegment("elsewhere")
-       MAP_EXTRACT_VALUE(MAP_EXTRACT_VALUE(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'realized'
+       (
+         SELECT
+           x2.value
+         FROM UNNEST((
+           SELECT
+             x1.value
+           FROM UNNEST(p1."segmentMembership") AS x1
+           WHERE
+             x1.key = 'ups'
+         )) AS x2
+         WHERE
+           x2.key = 'elsewhere'
+       )."status" = 'realized'
-       MAP_EXTRACT_VALUE(MAP_EXTRACT_VALUE(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'existing'
+       (
+         SELECT
+           x4.value
+         FROM UNNEST((
+           SELECT
+             x3.value
+           FROM UNNEST(p1."segmentMembership") AS x3
+           WHERE
+             x3.key = 'ups'
+         )) AS x4
+         WHERE
+           x4.key = 'elsewhere'
+       )."status" = 'existing'

-- list_some: favoriteColors = "red"
-     CROSS JOIN UNNEST(p2."favoriteColors") AS u1(x1)
+     CROSS JOIN UNNEST(p2."favoriteColors") AS x1
-         u1.x1 = 'red'
+         x1 = 'red'

-- order_total: orders.sum(price) > 20 and orders.count() >= 2
-     CAST(SUM(CAST(u1.x1."price" AS DECIMAL(38, 6))) AS DECIMAL(18, 6)) AS v
+     CASE
+       WHEN SUM(CAST(x1."price" AS BIGNUMERIC)) IS NULL
+       THEN NULL
+       WHEN ABS(SUM(CAST(x1."price" AS BIGNUMERIC))) < 1000000000000
+       THEN CAST(SUM(CAST(x1."price" AS BIGNUMERIC)) AS NUMERIC)
+       ELSE ERROR('sum out of range (PQL0601)')
+     END AS v
-   CROSS JOIN UNNEST(p2."orders") AS u1(x1)
+   CROSS JOIN UNNEST(p2."orders") AS x1
-     NOT u1.x1."price" IS NULL
+     NOT x1."price" IS NULL
-   CROSS JOIN UNNEST(p3."orders") AS u2(x2)
+   CROSS JOIN UNNEST(p3."orders") AS x2
-     NOT u2.x2 IS NULL
+     NOT x2 IS NULL
-     COALESCE(a1.v, CAST(0 AS DECIMAL(18, 6))) > 20
+     COALESCE(a1.v, CAST(0 AS NUMERIC)) > 20
-   )
-   AND (
+   ) AND (

-- order_mean: orders.average(quantity) > 2.5
-       CAST(SUM(CAST(u1.x1."quantity" AS DECIMAL(38, 0))) AS DOUBLE) / NULLIF(CAST(COUNT(u1.x1."quantity") AS DOUBLE), 0)
+       CAST(SUM(CAST(x1."quantity" AS BIGNUMERIC)) AS FLOAT64) / NULLIF(CAST(COUNT(x1."quantity") AS FLOAT64), 0)
-   CROSS JOIN UNNEST(p2."orders") AS u1(x1)
+   CROSS JOIN UNNEST(p2."orders") AS x1
-     NOT u1.x1."quantity" IS NULL
+     NOT x1."quantity" IS NULL
-     a1.v > CAST('2.5' AS DOUBLE)
+     a1.v > CAST('2.5' AS FLOAT64)

-- counted: xEvent[eventType = "view" and timestamp occurs <= 30 days before now].count() >= 2
+       e1."timestamp" >= DATETIME_SUB(CAST(@now AS DATETIME), INTERVAL 30 DAY)
-       e1."timestamp" >= (
-         CAST($now AS TIMESTAMP) + TO_DAYS(-30)
-       )
-       AND e1."timestamp" <= CAST($now AS TIMESTAMP)
+       AND e1."timestamp" <= CAST(@now AS DATETIME)

-- pages: xEvent.page.distinct().count() >= 3
-- the same

-- least_page: xEvent.min(page) = "A"
-- the same

-- same_item: xEvent[productListItems[SKU = "PS" and quantity > 2]].count() >= 1
-       FROM UNNEST(e1."productListItems") AS u1(x1)
+       FROM UNNEST(e1."productListItems") AS x1
-             u1.x1."SKU" = 'PS'
+             x1."SKU" = 'PS'
-             u1.x1."quantity" > 2
+             x1."quantity" > 2

-- same_item_exists: exists E from xEvent where E.eventType = "buy", I from E.productListItems where I.SKU = "PS"
-     CROSS JOIN UNNEST(e1."productListItems") AS u1(x1)
+     CROSS JOIN UNNEST(e1."productListItems") AS x1
-         u1.x1."SKU" = 'PS'
+         x1."SKU" = 'PS'

-- item_total: xEvent[eventType = "buy"].productListItems.sum(priceTotal) > 12
-     CAST(SUM(CAST(u1.x1."priceTotal" AS DECIMAL(38, 6))) AS DECIMAL(18, 6)) AS v
+     CASE
+       WHEN SUM(CAST(x1."priceTotal" AS BIGNUMERIC)) IS NULL
+       THEN NULL
+       WHEN ABS(SUM(CAST(x1."priceTotal" AS BIGNUMERIC))) < 1000000000000
+       THEN CAST(SUM(CAST(x1."priceTotal" AS BIGNUMERIC)) AS NUMERIC)
+       ELSE ERROR('sum out of range (PQL0601)')
+     END AS v
-   CROSS JOIN UNNEST(e1."productListItems") AS u1(x1)
+   CROSS JOIN UNNEST(e1."productListItems") AS x1
-     )
-     AND NOT u1.x1 IS NULL
-     AND NOT u1.x1."priceTotal" IS NULL
+     ) AND NOT x1 IS NULL AND NOT x1."priceTotal" IS NULL
-     COALESCE(a1.v, CAST(0 AS DECIMAL(18, 6))) > 12
+     COALESCE(a1.v, CAST(0 AS NUMERIC)) > 12

-- items_per_event: xEvent[productListItems.count() >= 2].count() > 1
-         FROM UNNEST(e1."productListItems") AS u1(x1)
+         FROM UNNEST(e1."productListItems") AS x1

-- profile_in_item: xEvent[productListItems[name = person.name]].count() > 0
-       FROM UNNEST(e1."productListItems") AS u1(x1)
+       FROM UNNEST(e1."productListItems") AS x1
-           u1.x1."name" = p2."person"."name"
+           x1."name" = p2."person"."name"

-- last_page: xEvent.topN(timestamp, 1).head().page = "A"
-       ORDER BY e1."timestamp" DESC, e1."timestamp" ASC, e1."_id" ASC, e1."_seq" ASC
+       ORDER BY e1."timestamp" DESC, e1."timestamp" ASC NULLS LAST, e1."_id" ASC NULLS LAST, e1."_seq" ASC NULLS LAST

-- look_back: chain(xEvent, timestamp, [A: WHAT(eventType = "view"), B: WHAT(page = A.page and eventType = "buy")])
-- the same

-- excluded: chain(xEvent, timestamp, [A: WHAT(eventType = "view"), X: not WHAT(eventType = "add"), B: WHAT(eventType = "buy")])
-- the same

-- abandoned: chain(xEvent, timestamp, [A: WHAT(eventType = "add"), B: not WHAT(eventType = "buy") WHEN(< 2 days after A)])
+       AND CAST(@now AS DATETIME) >= DATETIME_ADD(e1."timestamp", INTERVAL 2 DAY)
-       AND CAST($now AS TIMESTAMP) >= (
-         e1."timestamp" + TO_DAYS(2)
-       )
+             AND e2."timestamp" < DATETIME_ADD(e1."timestamp", INTERVAL 2 DAY)
-             AND e2."timestamp" < (
-               e1."timestamp" + TO_DAYS(2)
-             )

-- top: orders.topN(price, 2).sum(price) > 5
-- the same
