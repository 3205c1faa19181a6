-- equal: homeAddress.country = "US"
-     p1."homeAddress"."country" = 'US'
+     CAST(GET(p1."homeAddress", 'country') AS VARCHAR) = 'US'

-- not_among: homeAddress.city notIn ["Rome", "Köln"]
-       p1."homeAddress"."city" IN ('Rome', 'Köln')
+       CAST(GET(p1."homeAddress", 'city') AS VARCHAR) IN ('Rome', 'Köln')

-- starts: person.name.startsWith("JO", false)
-   STARTS_WITH(LOWER(REPLACE(REPLACE(p1."person"."name", 'İ', 'i̇'), 'Σ', 'σ')), 'jo');
+   STARTSWITH(
+     LOWER(REPLACE(REPLACE(CAST(GET(p1."person", 'name') AS VARCHAR), 'İ', 'i̇'), 'Σ', 'σ')),
+     'jo'
+   );

-- like_signs: person.name like "_!%\\\\%"
-     p1."person"."name" LIKE '_!!%\%' ESCAPE '!'
+     CAST(GET(p1."person", 'name') AS VARCHAR) LIKE '_!!%\\%' ESCAPE '!'

-- quotes: person.name = "it's \\ \"q\""
-     p1."person"."name" = 'it''s \ "q"'
+     CAST(GET(p1."person", 'name') AS VARCHAR) = 'it\'s \\ "q"'

-- matches: person.name.matches("(?i)^jo.*n$")
+ -- refused: "matches": its regular expressions are not RE2
- SELECT
-   p1."_pid" AS pid
- FROM profile AS p1
- WHERE
-   REGEXP_MATCHES(p1."person"."name", '(?i)^jo.*n$');
- -- parameters: none

-- arithmetic: (loyalty.points * 3 - person.age) / 2 > -20.5
-                   CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                   CAST(CAST(GET(p1."loyalty", 'points') AS BIGINT) AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
-                   CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                   CAST(CAST(GET(p1."loyalty", 'points') AS BIGINT) AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
-               END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
+               END AS DECIMAL(38, 0)) - CAST(CAST(GET(p1."person", 'age') AS BIGINT) AS DECIMAL(38, 0))
-                   CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                   CAST(CAST(GET(p1."loyalty", 'points') AS BIGINT) AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
-                   CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                   CAST(CAST(GET(p1."loyalty", 'points') AS BIGINT) AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
-               END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
+               END AS DECIMAL(38, 0)) - CAST(CAST(GET(p1."person", 'age') AS BIGINT) AS DECIMAL(38, 0))
-                 CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                 CAST(CAST(GET(p1."loyalty", 'points') AS BIGINT) AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
-                 CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                 CAST(CAST(GET(p1."loyalty", 'points') AS BIGINT) AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
-             END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
+             END AS DECIMAL(38, 0)) - CAST(CAST(GET(p1."person", 'age') AS BIGINT) AS DECIMAL(38, 0))
-                 CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                 CAST(CAST(GET(p1."loyalty", 'points') AS BIGINT) AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
-                 CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                 CAST(CAST(GET(p1."loyalty", 'points') AS BIGINT) AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
-             END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
+             END AS DECIMAL(38, 0)) - CAST(CAST(GET(p1."person", 'age') AS BIGINT) AS DECIMAL(38, 0))

-- decimals: loyalty.balance * 1.5 = 0.000002 or loyalty.balance + 0.1 > 3
-           CAST(p1."loyalty"."balance" AS DECIMAL(19, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
+           CAST(CAST(GET(p1."loyalty", 'balance') AS DECIMAL(18, 6)) AS DECIMAL(18, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
-           CAST(p1."loyalty"."balance" AS DECIMAL(19, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
+           CAST(CAST(GET(p1."loyalty", 'balance') AS DECIMAL(18, 6)) AS DECIMAL(18, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
-           CAST(p1."loyalty"."balance" AS DECIMAL(38, 6)) + CAST(CAST('0.1' AS DECIMAL(18, 6)) AS DECIMAL(38, 6))
+           CAST(CAST(GET(p1."loyalty", 'balance') AS DECIMAL(18, 6)) AS DECIMAL(38, 6)) + CAST(CAST('0.1' AS DECIMAL(18, 6)) AS DECIMAL(38, 6))
-           CAST(p1."loyalty"."balance" AS DECIMAL(38, 6)) + CAST(CAST('0.1' AS DECIMAL(18, 6)) AS DECIMAL(38, 6))
+           CAST(CAST(GET(p1."loyalty", 'balance') AS DECIMAL(18, 6)) AS DECIMAL(38, 6)) + CAST(CAST('0.1' AS DECIMAL(18, 6)) AS DECIMAL(38, 6))

-- remainder: (person.age - 40) % 7 = -1
-           CAST(p1."person"."age" AS DECIMAL(38, 0)) - CAST(40 AS DECIMAL(38, 0))
+           CAST(CAST(GET(p1."person", 'age') AS BIGINT) AS DECIMAL(38, 0)) - CAST(40 AS DECIMAL(38, 0))
-           CAST(p1."person"."age" AS DECIMAL(38, 0)) - CAST(40 AS DECIMAL(38, 0))
+           CAST(CAST(GET(p1."person", 'age') AS BIGINT) AS DECIMAL(38, 0)) - CAST(40 AS DECIMAL(38, 0))

-- weekday: loyalty.joined.dayOfWeek() >= 6
-     EXTRACT(ISODOW FROM p1."loyalty"."joined") >= 6
+     DAYOFWEEKISO(CAST(GET(p1."loyalty", 'joined') AS TIMESTAMPNTZ(6))) >= 6

-- birthday_month: person.birthDate occurs this month ignoring year
+     WHEN DATEADD(
+       DAY,
+       -1,
+       DATE_TRUNC('day', DATEADD(MONTH, 1, DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
+     ) >= DATEADD(DAY, 365, DATE_TRUNC('day', DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
-     WHEN (
-       CAST(DATE_TRUNC(
-         'day',
-         (
-           CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-         )
-       ) AS TIMESTAMP) + TO_DAYS(-1)
-     ) >= (
-       CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(365)
-     )
-     THEN NOT CAST(p1."person"."birthDate" AS TIMESTAMP) IS NULL
+     THEN NOT CAST(CAST(GET(p1."person", 'birthDate') AS DATE) AS TIMESTAMPNTZ(6)) IS NULL
-         EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
-       ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+         DATE_PART(MONTH, DATE_TRUNC('day', DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6))))) * 100
+       ) + DATE_PART(DAY, DATE_TRUNC('day', DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
-           EXTRACT(MONTH FROM (
+           DATE_PART(
+             MONTH,
-             (
+             DATEADD(
-               CAST(DATE_TRUNC(
-                 'day',
-                 (
+               DAY,
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                 )
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             ) + TO_DAYS(1)
-           )) * 100
-         ) + EXTRACT(DAY FROM (
-           (
-             CAST(DATE_TRUNC(
-               'day',
-               (
+               1,
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+               DATEADD(
+                 DAY,
+                 -1,
+                 DATE_TRUNC('day', DATEADD(MONTH, 1, DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
-             ) AS TIMESTAMP) + TO_DAYS(-1)
-           ) + TO_DAYS(1)
+             )
+           ) * 100
+         ) + DATE_PART(
+           DAY,
+           DATEADD(
+             DAY,
+             1,
+             DATEADD(
+               DAY,
+               -1,
+               DATE_TRUNC('day', DATEADD(MONTH, 1, DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
+             )
+           )
-         ))
+         )
-           EXTRACT(MONTH FROM (
-             CAST(DATE_TRUNC(
+           DATE_PART(
+             MONTH,
+             DATEADD(
-               'day',
+               DAY,
-               (
+               -1,
+               DATE_TRUNC('day', DATEADD(MONTH, 1, DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-               )
-             ) AS TIMESTAMP) + TO_DAYS(-1)
-           )) * 100
-         ) + EXTRACT(DAY FROM (
-           CAST(DATE_TRUNC(
-             'day',
-             (
-               CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-           ) AS TIMESTAMP) + TO_DAYS(-1)
+           ) * 100
+         ) + DATE_PART(
+           DAY,
+           DATEADD(
+             DAY,
+             -1,
+             DATE_TRUNC('day', DATEADD(MONTH, 1, DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
+           )
-         ))
+         )
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+           DATE_PART(MONTH, CAST(CAST(GET(p1."person", 'birthDate') AS DATE) AS TIMESTAMPNTZ(6))) * 100
+         ) + DATE_PART(DAY, CAST(CAST(GET(p1."person", 'birthDate') AS DATE) AS TIMESTAMPNTZ(6)))
-           EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+           DATE_PART(MONTH, DATE_TRUNC('day', DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6))))) * 100
+         ) + DATE_PART(DAY, DATE_TRUNC('day', DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+           DATE_PART(MONTH, CAST(CAST(GET(p1."person", 'birthDate') AS DATE) AS TIMESTAMPNTZ(6))) * 100
+         ) + DATE_PART(DAY, CAST(CAST(GET(p1."person", 'birthDate') AS DATE) AS TIMESTAMPNTZ(6)))
-             EXTRACT(MONTH FROM (
+             DATE_PART(
+               MONTH,
-               (
+               DATEADD(
-                 CAST(DATE_TRUNC(
-                   'day',
-                   (
+                 DAY,
-                     CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                   )
-                 ) AS TIMESTAMP) + TO_DAYS(-1)
-               ) + TO_DAYS(1)
-             )) * 100
-           ) + EXTRACT(DAY FROM (
-             (
-               CAST(DATE_TRUNC(
-                 'day',
-                 (
+                 1,
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                 DATEADD(
+                   DAY,
+                   -1,
+                   DATE_TRUNC('day', DATEADD(MONTH, 1, DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             ) + TO_DAYS(1)
+               )
+             ) * 100
+           ) + DATE_PART(
+             DAY,
+             DATEADD(
+               DAY,
+               1,
+               DATEADD(
+                 DAY,
+                 -1,
+                 DATE_TRUNC('day', DATEADD(MONTH, 1, DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
+               )
+             )
-           ))
+           )
-             EXTRACT(MONTH FROM (
-               CAST(DATE_TRUNC(
+             DATE_PART(
+               MONTH,
+               DATEADD(
-                 'day',
+                 DAY,
-                 (
+                 -1,
+                 DATE_TRUNC('day', DATEADD(MONTH, 1, DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                 )
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             )) * 100
-           ) + EXTRACT(DAY FROM (
-             CAST(DATE_TRUNC(
-               'day',
-               (
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-             ) AS TIMESTAMP) + TO_DAYS(-1)
+             ) * 100
+           ) + DATE_PART(
+             DAY,
+             DATEADD(
+               DAY,
+               -1,
+               DATE_TRUNC('day', DATEADD(MONTH, 1, DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
+             )
-           ))
+           )
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+           DATE_PART(MONTH, CAST(CAST(GET(p1."person", 'birthDate') AS DATE) AS TIMESTAMPNTZ(6))) * 100
+         ) + DATE_PART(DAY, CAST(CAST(GET(p1."person", 'birthDate') AS DATE) AS TIMESTAMPNTZ(6)))
-           EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+           DATE_PART(MONTH, DATE_TRUNC('day', DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6))))) * 100
+         ) + DATE_PART(DAY, DATE_TRUNC('day', DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+           DATE_PART(MONTH, CAST(CAST(GET(p1."person", 'birthDate') AS DATE) AS TIMESTAMPNTZ(6))) * 100
+         ) + DATE_PART(DAY, CAST(CAST(GET(p1."person", 'birthDate') AS DATE) AS TIMESTAMPNTZ(6)))
-             EXTRACT(MONTH FROM (
+             DATE_PART(
+               MONTH,
-               (
+               DATEADD(
-                 CAST(DATE_TRUNC(
-                   'day',
-                   (
+                 DAY,
-                     CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                   )
-                 ) AS TIMESTAMP) + TO_DAYS(-1)
-               ) + TO_DAYS(1)
-             )) * 100
-           ) + EXTRACT(DAY FROM (
-             (
-               CAST(DATE_TRUNC(
-                 'day',
-                 (
+                 1,
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                 DATEADD(
+                   DAY,
+                   -1,
+                   DATE_TRUNC('day', DATEADD(MONTH, 1, DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             ) + TO_DAYS(1)
+               )
+             ) * 100
+           ) + DATE_PART(
+             DAY,
+             DATEADD(
+               DAY,
+               1,
+               DATEADD(
+                 DAY,
+                 -1,
+                 DATE_TRUNC('day', DATEADD(MONTH, 1, DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
+               )
+             )
-           ))
+           )
-             EXTRACT(MONTH FROM (
-               CAST(DATE_TRUNC(
+             DATE_PART(
+               MONTH,
+               DATEADD(
-                 'day',
+                 DAY,
-                 (
+                 -1,
+                 DATE_TRUNC('day', DATEADD(MONTH, 1, DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                 )
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             )) * 100
-           ) + EXTRACT(DAY FROM (
-             CAST(DATE_TRUNC(
-               'day',
-               (
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-             ) AS TIMESTAMP) + TO_DAYS(-1)
+             ) * 100
+           ) + DATE_PART(
+             DAY,
+             DATEADD(
+               DAY,
+               -1,
+               DATE_TRUNC('day', DATEADD(MONTH, 1, DATE_TRUNC('month', CAST(? AS TIMESTAMPNTZ(6)))))
+             )
-           ))
+           )
- -- parameters: now
+ -- parameters: now, now, now, now, now, now, now, now, now, now, now, now, now, now, now, now, now, now, now, now

-- joined_window: loyalty.joined occurs <= 3 months before now
+     CAST(GET(p1."loyalty", 'joined') AS TIMESTAMPNTZ(6)) >= DATEADD(MONTH, -3, CAST(? AS TIMESTAMPNTZ(6)))
+     AND CAST(GET(p1."loyalty", 'joined') AS TIMESTAMPNTZ(6)) <= CAST(? AS TIMESTAMPNTZ(6))
-     p1."loyalty"."joined" >= (
-       CAST($now AS TIMESTAMP) + TO_MONTHS(-3)
-     )
-     AND p1."loyalty"."joined" <= CAST($now AS TIMESTAMP)
- -- parameters: now
+ -- parameters: now, now

-- joined_week: loyalty.joined occurs last week
-     p1."loyalty"."joined" >= (
-       CAST(DATE_TRUNC('week', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(-7)
+     CAST(GET(p1."loyalty", 'joined') AS TIMESTAMPNTZ(6)) >= DATEADD(
+       DAY,
+       -7,
+       DATEADD(
+         DAY,
+         1 - DAYOFWEEKISO(CAST(? AS TIMESTAMPNTZ(6))),
+         DATE_TRUNC('day', CAST(? AS TIMESTAMPNTZ(6)))
+       )
-     AND p1."loyalty"."joined" < (
+     AND CAST(GET(p1."loyalty", 'joined') AS TIMESTAMPNTZ(6)) < DATEADD(
+       DAY,
+       7,
+       DATEADD(
+         DAY,
+         -7,
+         DATEADD(
+           DAY,
+           1 - DAYOFWEEKISO(CAST(? AS TIMESTAMPNTZ(6))),
+           DATE_TRUNC('day', CAST(? AS TIMESTAMPNTZ(6)))
+         )
-       (
+       )
-         CAST(DATE_TRUNC('week', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(-7)
-       ) + TO_DAYS(7)
- -- parameters: now
+ -- parameters: now, now, now, now

-- map_value: attributes.get("city") = "Rome"
-     MAP_EXTRACT_VALUE(p1."attributes", 'city') = 'Rome'
+     CAST(GET(p1."attributes", 'city') AS VARCHAR) = 'Rome'

-- member_elsewhere: inSegment("elsewhere")
-       MAP_EXTRACT_VALUE(MAP_EXTRACT_VALUE(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'realized'
+       CAST(GET(GET(GET(p1."segmentMembership", 'ups'), 'elsewhere'), 'status') AS VARCHAR) = 'realized'
-       MAP_EXTRACT_VALUE(MAP_EXTRACT_VALUE(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'existing'
+       CAST(GET(GET(GET(p1."segmentMembership", 'ups'), 'elsewhere'), 'status') AS VARCHAR) = 'existing'

-- list_some: favoriteColors = "red"
-     CROSS JOIN UNNEST(p2."favoriteColors") AS u1(x1)
+     CROSS JOIN LATERAL FLATTEN(INPUT => p2."favoriteColors") AS u1
-         u1.x1 = 'red'
+         CAST(u1.VALUE AS VARCHAR) = 'red'

-- order_total: orders.sum(price) > 20 and orders.count() >= 2
-     CAST(SUM(CAST(u1.x1."price" AS DECIMAL(38, 6))) AS DECIMAL(18, 6)) AS v
+     CAST(SUM(CAST(CAST(GET(u1.VALUE, 'price') AS DECIMAL(18, 6)) AS DECIMAL(38, 6))) AS DECIMAL(18, 6)) AS v
-   CROSS JOIN UNNEST(p2."orders") AS u1(x1)
+   CROSS JOIN LATERAL FLATTEN(INPUT => p2."orders") AS u1
-     NOT u1.x1."price" IS NULL
+     NOT CAST(GET(u1.VALUE, 'price') AS DECIMAL(18, 6)) IS NULL
-   CROSS JOIN UNNEST(p3."orders") AS u2(x2)
+   CROSS JOIN LATERAL FLATTEN(INPUT => p3."orders") AS u2
-     NOT u2.x2 IS NULL
+     NOT u2.VALUE IS NULL

-- order_mean: orders.average(quantity) > 2.5
-       CAST(SUM(CAST(u1.x1."quantity" AS DECIMAL(38, 0))) AS DOUBLE) / NULLIF(CAST(COUNT(u1.x1."quantity") AS DOUBLE), 0)
+       CAST(SUM(CAST(CAST(GET(u1.VALUE, 'quantity') AS BIGINT) AS DECIMAL(38, 0))) AS DOUBLE) / NULLIF(CAST(COUNT(CAST(GET(u1.VALUE, 'quantity') AS BIGINT)) AS DOUBLE), 0)
-   CROSS JOIN UNNEST(p2."orders") AS u1(x1)
+   CROSS JOIN LATERAL FLATTEN(INPUT => p2."orders") AS u1
-     NOT u1.x1."quantity" IS NULL
+     NOT CAST(GET(u1.VALUE, 'quantity') AS BIGINT) IS NULL

-- counted: xEvent[eventType = "view" and timestamp occurs <= 30 days before now].count() >= 2
+       e1."timestamp" >= DATEADD(DAY, -30, CAST(? AS TIMESTAMPNTZ(6)))
-       e1."timestamp" >= (
-         CAST($now AS TIMESTAMP) + TO_DAYS(-30)
-       )
-       AND e1."timestamp" <= CAST($now AS TIMESTAMP)
+       AND e1."timestamp" <= CAST(? AS TIMESTAMPNTZ(6))
- -- parameters: now
+ -- parameters: now, now

-- pages: xEvent.page.distinct().count() >= 3
-- the same

-- least_page: xEvent.min(page) = "A"
-- the same

-- same_item: xEvent[productListItems[SKU = "PS" and quantity > 2]].count() >= 1
+     ARRAY_SIZE(
+       FILTER(
+         e1."productListItems",
-     EXISTS(
-       SELECT
-         1
-       FROM UNNEST(e1."productListItems") AS u1(x1)
-       WHERE
-         (
-           (
+         x1 -> (
-             u1.x1."SKU" = 'PS'
-           ) AND (
-             u1.x1."quantity" > 2
-           )
+           COALESCE((
+             CAST(GET(x1, 'SKU') AS VARCHAR) = 'PS'
+           ), FALSE)
+           AND COALESCE((
+             CAST(GET(x1, 'quantity') AS BIGINT) > 2
+           ), FALSE)
-     )
+       )
+     ) > 0

-- same_item_exists: exists E from xEvent where E.eventType = "buy", I from E.productListItems where I.SKU = "PS"
-     CROSS JOIN UNNEST(e1."productListItems") AS u1(x1)
+     CROSS JOIN LATERAL FLATTEN(INPUT => e1."productListItems") AS u1
+       )
-       ) AND (
+       AND (
-         u1.x1."SKU" = 'PS'
+         CAST(GET(u1.VALUE, 'SKU') AS VARCHAR) = 'PS'

-- item_total: xEvent[eventType = "buy"].productListItems.sum(priceTotal) > 12
-     CAST(SUM(CAST(u1.x1."priceTotal" AS DECIMAL(38, 6))) AS DECIMAL(18, 6)) AS v
+     CAST(SUM(CAST(CAST(GET(u1.VALUE, 'priceTotal') AS DECIMAL(18, 6)) AS DECIMAL(38, 6))) AS DECIMAL(18, 6)) AS v
-   CROSS JOIN UNNEST(e1."productListItems") AS u1(x1)
+   CROSS JOIN LATERAL FLATTEN(INPUT => e1."productListItems") AS u1
-     AND NOT u1.x1 IS NULL
+     AND NOT u1.VALUE IS NULL
-     AND NOT u1.x1."priceTotal" IS NULL
+     AND NOT CAST(GET(u1.VALUE, 'priceTotal') AS DECIMAL(18, 6)) IS NULL

-- items_per_event: xEvent[productListItems.count() >= 2].count() > 1
+       COALESCE(ARRAY_SIZE(FILTER(e1."productListItems", x1 -> TRUE)), 0) >= 2
-       (
-         SELECT
-           COUNT(*)
-         FROM UNNEST(e1."productListItems") AS u1(x1)
-       ) >= 2

-- profile_in_item: xEvent[productListItems[name = person.name]].count() > 0
+ -- refused: an item compared with what is around it: a lambda that looks outside the element has no proven form
- SELECT
-   p1."_pid" AS pid
- FROM profile AS p1
- LEFT JOIN (
-   SELECT
-     e1."_pid" AS "_pid",
-     COUNT(*) AS v
-   FROM event AS e1
-   JOIN profile AS p2
-     ON p2."_pid" = e1."_pid"
-   WHERE
-     EXISTS(
-       SELECT
-         1
-       FROM UNNEST(e1."productListItems") AS u1(x1)
-       WHERE
-         (
-           u1.x1."name" = p2."person"."name"
-         )
-     )
-   GROUP BY
-     e1."_pid"
- ) AS a1
-   ON a1."_pid" = p1."_pid"
- WHERE
-   (
-     COALESCE(a1.v, 0) > 0
-   );
- -- parameters: none

-- last_page: xEvent.topN(timestamp, 1).head().page = "A"
-       ORDER BY e1."timestamp" DESC, e1."timestamp" ASC, e1."_id" ASC, e1."_seq" ASC
+       ORDER BY e1."timestamp" DESC NULLS LAST, e1."timestamp" ASC, e1."_id" ASC, e1."_seq" ASC

-- look_back: chain(xEvent, timestamp, [A: WHAT(eventType = "view"), B: WHAT(page = A.page and eventType = "buy")])
-- the same

-- excluded: chain(xEvent, timestamp, [A: WHAT(eventType = "view"), X: not WHAT(eventType = "add"), B: WHAT(eventType = "buy")])
-- the same

-- abandoned: chain(xEvent, timestamp, [A: WHAT(eventType = "add"), B: not WHAT(eventType = "buy") WHEN(< 2 days after A)])
+       AND CAST(? AS TIMESTAMPNTZ(6)) >= DATEADD(DAY, 2, e1."timestamp")
-       AND CAST($now AS TIMESTAMP) >= (
-         e1."timestamp" + TO_DAYS(2)
-       )
+             AND e2."timestamp" < DATEADD(DAY, 2, e1."timestamp")
-             AND e2."timestamp" < (
-               e1."timestamp" + TO_DAYS(2)
-             )

-- top: orders.topN(price, 2).sum(price) > 5
-- the same
