-- equal: homeAddress.country = "US"
-     p1."homeAddress"."country" = 'US'
+     (
+       p1."homeAddress"
+     )."country" = 'US'

-- not_among: homeAddress.city notIn ["Rome", "Köln"]
+       (
+         p1."homeAddress"
-       p1."homeAddress"."city" IN ('Rome', 'Köln')
+       )."city" IN ('Rome', 'Köln')

-- starts: person.name.startsWith("JO", false)
-   STARTS_WITH(LOWER(REPLACE(REPLACE(p1."person"."name", 'İ', 'i̇'), 'Σ', 'σ')), 'jo');
+   STARTS_WITH(
+     LOWER(
+       REPLACE(REPLACE((
+         p1."person"
+       )."name", 'İ', 'i̇'), 'Σ', 'σ') COLLATE "und-x-icu"
+     ),
+     'jo'
+   );

-- like_signs: person.name like "_!%\\\\%"
+     (
+       p1."person"
-     p1."person"."name" LIKE '_!!%\%' ESCAPE '!'
+     )."name" LIKE '_!!%\%' ESCAPE '!'

-- quotes: person.name = "it's \\ \"q\""
+     (
+       p1."person"
-     p1."person"."name" = 'it''s \ "q"'
+     )."name" = 'it''s \ "q"'

-- matches: person.name.matches("(?i)^jo.*n$")
+ -- refused: "matches": its regular expressions are not RE2
- SELECT
-   p1."_pid" AS pid
- FROM profile AS p1
- WHERE
-   REGEXP_MATCHES(p1."person"."name", '(?i)^jo.*n$');
- -- parameters: none

-- arithmetic: (loyalty.points * 3 - person.age) / 2 > -20.5
+                   CAST((
+                     p1."loyalty"
-                   CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                   )."points" AS DECIMAL(38, 0)) * CAST(3 AS DECIMAL(38, 0))
+                   CAST((
+                     p1."loyalty"
-                   CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                   )."points" AS DECIMAL(38, 0)) * CAST(3 AS DECIMAL(38, 0))
-               END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
+               END AS DECIMAL(38, 0)) - CAST((
+                 p1."person"
+               )."age" AS DECIMAL(38, 0))
+                   CAST((
+                     p1."loyalty"
-                   CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                   )."points" AS DECIMAL(38, 0)) * CAST(3 AS DECIMAL(38, 0))
+                   CAST((
+                     p1."loyalty"
-                   CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                   )."points" AS DECIMAL(38, 0)) * CAST(3 AS DECIMAL(38, 0))
-               END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
+               END AS DECIMAL(38, 0)) - CAST((
+                 p1."person"
+               )."age" AS DECIMAL(38, 0))
-           END AS DOUBLE) AS DOUBLE) / NULLIF(CAST(CAST('2.0' AS DOUBLE) AS DOUBLE), 0)
+           END AS DOUBLE PRECISION) AS DOUBLE PRECISION) / NULLIF(CAST(CAST('2.0' AS DOUBLE PRECISION) AS DOUBLE PRECISION), 0)
-       ) <= CAST('1.7976931348623157e308' AS DOUBLE)
+       ) <= CAST('1.7976931348623157e308' AS DOUBLE PRECISION)
+                 CAST((
+                   p1."loyalty"
-                 CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                 )."points" AS DECIMAL(38, 0)) * CAST(3 AS DECIMAL(38, 0))
+                 CAST((
+                   p1."loyalty"
-                 CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                 )."points" AS DECIMAL(38, 0)) * CAST(3 AS DECIMAL(38, 0))
-             END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
+             END AS DECIMAL(38, 0)) - CAST((
+               p1."person"
+             )."age" AS DECIMAL(38, 0))
+                 CAST((
+                   p1."loyalty"
-                 CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                 )."points" AS DECIMAL(38, 0)) * CAST(3 AS DECIMAL(38, 0))
+                 CAST((
+                   p1."loyalty"
-                 CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
+                 )."points" AS DECIMAL(38, 0)) * CAST(3 AS DECIMAL(38, 0))
-             END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
+             END AS DECIMAL(38, 0)) - CAST((
+               p1."person"
+             )."age" AS DECIMAL(38, 0))
-         END AS DOUBLE) AS DOUBLE) / NULLIF(CAST(CAST('2.0' AS DOUBLE) AS DOUBLE), 0)
+         END AS DOUBLE PRECISION) AS DOUBLE PRECISION) / NULLIF(CAST(CAST('2.0' AS DOUBLE PRECISION) AS DOUBLE PRECISION), 0)
-     END > CAST('-20.5' AS DOUBLE)
+     END > CAST('-20.5' AS DOUBLE PRECISION)

-- decimals: loyalty.balance * 1.5 = 0.000002 or loyalty.balance + 0.1 > 3
+           CAST((
+             p1."loyalty"
-           CAST(p1."loyalty"."balance" AS DECIMAL(19, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
+           )."balance" AS DECIMAL(18, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
+           CAST((
+             p1."loyalty"
-           CAST(p1."loyalty"."balance" AS DECIMAL(19, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
+           )."balance" AS DECIMAL(18, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
+           CAST((
+             p1."loyalty"
-           CAST(p1."loyalty"."balance" AS DECIMAL(38, 6)) + CAST(CAST('0.1' AS DECIMAL(18, 6)) AS DECIMAL(38, 6))
+           )."balance" AS DECIMAL(38, 6)) + CAST(CAST('0.1' AS DECIMAL(18, 6)) AS DECIMAL(38, 6))
+           CAST((
+             p1."loyalty"
-           CAST(p1."loyalty"."balance" AS DECIMAL(38, 6)) + CAST(CAST('0.1' AS DECIMAL(18, 6)) AS DECIMAL(38, 6))
+           )."balance" AS DECIMAL(38, 6)) + CAST(CAST('0.1' AS DECIMAL(18, 6)) AS DECIMAL(38, 6))

-- remainder: (person.age - 40) % 7 = -1
+           CAST((
+             p1."person"
-           CAST(p1."person"."age" AS DECIMAL(38, 0)) - CAST(40 AS DECIMAL(38, 0))
+           )."age" AS DECIMAL(38, 0)) - CAST(40 AS DECIMAL(38, 0))
+           CAST((
+             p1."person"
-           CAST(p1."person"."age" AS DECIMAL(38, 0)) - CAST(40 AS DECIMAL(38, 0))
+           )."age" AS DECIMAL(38, 0)) - CAST(40 AS DECIMAL(38, 0))

-- weekday: loyalty.joined.dayOfWeek() >= 6
-     EXTRACT(ISODOW FROM p1."loyalty"."joined") >= 6
+     CAST(EXTRACT(ISODOW FROM (
+       p1."loyalty"
+     )."joined") AS BIGINT) >= 6

-- birthday_month: person.birthDate occurs this month ignoring year
-           CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+           CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP) + CAST('1 months' AS INTERVAL)
-       ) AS TIMESTAMP) + TO_DAYS(-1)
+       ) AS TIMESTAMP) + CAST('-1 days' AS INTERVAL)
-       CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(365)
+       CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP) + CAST('365 days' AS INTERVAL)
-     THEN NOT CAST(p1."person"."birthDate" AS TIMESTAMP) IS NULL
+     THEN NOT CAST((
+       p1."person"
+     )."birthDate" AS TIMESTAMP) IS NULL
-         EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
+         CAST(EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) AS BIGINT) * 100
-       ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+       ) + CAST(EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) AS BIGINT)
-           EXTRACT(MONTH FROM (
+           CAST(EXTRACT(MONTH FROM (
-             (
-               CAST(DATE_TRUNC(
-                 'day',
-                 (
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                 )
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             ) + TO_DAYS(1)
-           )) * 100
-         ) + EXTRACT(DAY FROM (
-           (
+             (
-             CAST(DATE_TRUNC(
+               CAST(DATE_TRUNC(
-               'day',
+                 'day',
-               (
+                 (
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                   CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP) + CAST('1 months' AS INTERVAL)
-               )
+                 )
-             ) AS TIMESTAMP) + TO_DAYS(-1)
-           ) + TO_DAYS(1)
+               ) AS TIMESTAMP) + CAST('-1 days' AS INTERVAL)
+             ) + CAST('1 days' AS INTERVAL)
+           )) AS BIGINT) * 100
+         ) + CAST(EXTRACT(DAY FROM (
-         ))
+           (
+             CAST(DATE_TRUNC(
+               'day',
+               (
+                 CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP) + CAST('1 months' AS INTERVAL)
+               )
+             ) AS TIMESTAMP) + CAST('-1 days' AS INTERVAL)
+           ) + CAST('1 days' AS INTERVAL)
+         )) AS BIGINT)
-           EXTRACT(MONTH FROM (
+           CAST(EXTRACT(MONTH FROM (
-               'day',
-               (
+               'day',
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-               )
+               (
-             ) AS TIMESTAMP) + TO_DAYS(-1)
+                 CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP) + CAST('1 months' AS INTERVAL)
+               )
+             ) AS TIMESTAMP) + CAST('-1 days' AS INTERVAL)
-           )) * 100
+           )) AS BIGINT) * 100
-         ) + EXTRACT(DAY FROM (
+         ) + CAST(EXTRACT(DAY FROM (
-               CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+               CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP) + CAST('1 months' AS INTERVAL)
-           ) AS TIMESTAMP) + TO_DAYS(-1)
-         ))
+           ) AS TIMESTAMP) + CAST('-1 days' AS INTERVAL)
+         )) AS BIGINT)
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+           CAST(EXTRACT(MONTH FROM CAST((
+             p1."person"
+           )."birthDate" AS TIMESTAMP)) AS BIGINT) * 100
+         ) + CAST(EXTRACT(DAY FROM CAST((
+           p1."person"
+         )."birthDate" AS TIMESTAMP)) AS BIGINT)
-           EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
+           CAST(EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) AS BIGINT) * 100
-         ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+         ) + CAST(EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) AS BIGINT)
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+           CAST(EXTRACT(MONTH FROM CAST((
+             p1."person"
+           )."birthDate" AS TIMESTAMP)) AS BIGINT) * 100
+         ) + CAST(EXTRACT(DAY FROM CAST((
+           p1."person"
+         )."birthDate" AS TIMESTAMP)) AS BIGINT)
-             EXTRACT(MONTH FROM (
+             CAST(EXTRACT(MONTH FROM (
-                     CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                     CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP) + CAST('1 months' AS INTERVAL)
-                 ) AS TIMESTAMP) + TO_DAYS(-1)
-               ) + TO_DAYS(1)
+                 ) AS TIMESTAMP) + CAST('-1 days' AS INTERVAL)
+               ) + CAST('1 days' AS INTERVAL)
-             )) * 100
+             )) AS BIGINT) * 100
-           ) + EXTRACT(DAY FROM (
+           ) + CAST(EXTRACT(DAY FROM (
-             (
-               CAST(DATE_TRUNC(
-                 'day',
-                 (
+             (
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+               CAST(DATE_TRUNC(
+                 'day',
-                 )
+                 (
+                   CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP) + CAST('1 months' AS INTERVAL)
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             ) + TO_DAYS(1)
-           ))
+                 )
+               ) AS TIMESTAMP) + CAST('-1 days' AS INTERVAL)
+             ) + CAST('1 days' AS INTERVAL)
+           )) AS BIGINT)
-             EXTRACT(MONTH FROM (
+             CAST(EXTRACT(MONTH FROM (
-               CAST(DATE_TRUNC(
-                 'day',
-                 (
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                 )
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             )) * 100
-           ) + EXTRACT(DAY FROM (
-             CAST(DATE_TRUNC(
+               CAST(DATE_TRUNC(
-               'day',
+                 'day',
-               (
+                 (
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                   CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP) + CAST('1 months' AS INTERVAL)
-               )
+                 )
-             ) AS TIMESTAMP) + TO_DAYS(-1)
+               ) AS TIMESTAMP) + CAST('-1 days' AS INTERVAL)
+             )) AS BIGINT) * 100
+           ) + CAST(EXTRACT(DAY FROM (
+             CAST(DATE_TRUNC(
+               'day',
+               (
+                 CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP) + CAST('1 months' AS INTERVAL)
-           ))
+               )
+             ) AS TIMESTAMP) + CAST('-1 days' AS INTERVAL)
+           )) AS BIGINT)
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+           CAST(EXTRACT(MONTH FROM CAST((
+             p1."person"
+           )."birthDate" AS TIMESTAMP)) AS BIGINT) * 100
+         ) + CAST(EXTRACT(DAY FROM CAST((
+           p1."person"
+         )."birthDate" AS TIMESTAMP)) AS BIGINT)
-           EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
+           CAST(EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) AS BIGINT) * 100
-         ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+         ) + CAST(EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) AS BIGINT)
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+           CAST(EXTRACT(MONTH FROM CAST((
+             p1."person"
+           )."birthDate" AS TIMESTAMP)) AS BIGINT) * 100
+         ) + CAST(EXTRACT(DAY FROM CAST((
+           p1."person"
+         )."birthDate" AS TIMESTAMP)) AS BIGINT)
-             EXTRACT(MONTH FROM (
+             CAST(EXTRACT(MONTH FROM (
-                     CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                     CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP) + CAST('1 months' AS INTERVAL)
-                 ) AS TIMESTAMP) + TO_DAYS(-1)
-               ) + TO_DAYS(1)
+                 ) AS TIMESTAMP) + CAST('-1 days' AS INTERVAL)
+               ) + CAST('1 days' AS INTERVAL)
-             )) * 100
+             )) AS BIGINT) * 100
-           ) + EXTRACT(DAY FROM (
+           ) + CAST(EXTRACT(DAY FROM (
-             (
-               CAST(DATE_TRUNC(
-                 'day',
-                 (
+             (
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+               CAST(DATE_TRUNC(
+                 'day',
-                 )
+                 (
+                   CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP) + CAST('1 months' AS INTERVAL)
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             ) + TO_DAYS(1)
-           ))
+                 )
+               ) AS TIMESTAMP) + CAST('-1 days' AS INTERVAL)
+             ) + CAST('1 days' AS INTERVAL)
+           )) AS BIGINT)
-             EXTRACT(MONTH FROM (
+             CAST(EXTRACT(MONTH FROM (
-               CAST(DATE_TRUNC(
-                 'day',
-                 (
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                 )
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             )) * 100
-           ) + EXTRACT(DAY FROM (
-             CAST(DATE_TRUNC(
+               CAST(DATE_TRUNC(
-               'day',
+                 'day',
-               (
+                 (
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                   CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP) + CAST('1 months' AS INTERVAL)
-               )
+                 )
-             ) AS TIMESTAMP) + TO_DAYS(-1)
+               ) AS TIMESTAMP) + CAST('-1 days' AS INTERVAL)
+             )) AS BIGINT) * 100
+           ) + CAST(EXTRACT(DAY FROM (
+             CAST(DATE_TRUNC(
+               'day',
+               (
+                 CAST(DATE_TRUNC('month', CAST($1 AS TIMESTAMP)) AS TIMESTAMP) + CAST('1 months' AS INTERVAL)
-           ))
+               )
+             ) AS TIMESTAMP) + CAST('-1 days' AS INTERVAL)
+           )) AS BIGINT)

-- joined_window: loyalty.joined occurs <= 3 months before now
-     p1."loyalty"."joined" >= (
-       CAST($now AS TIMESTAMP) + TO_MONTHS(-3)
+     (
+       p1."loyalty"
+     )."joined" >= (
+       CAST($1 AS TIMESTAMP) + CAST('-3 months' AS INTERVAL)
+     AND (
+       p1."loyalty"
-     AND p1."loyalty"."joined" <= CAST($now AS TIMESTAMP)
+     )."joined" <= CAST($1 AS TIMESTAMP)

-- joined_week: loyalty.joined occurs last week
-     p1."loyalty"."joined" >= (
+     (
+       p1."loyalty"
+     )."joined" >= (
-       CAST(DATE_TRUNC('week', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(-7)
+       CAST(DATE_TRUNC('week', CAST($1 AS TIMESTAMP)) AS TIMESTAMP) + CAST('-7 days' AS INTERVAL)
-     AND p1."loyalty"."joined" < (
+     AND (
+       p1."loyalty"
+     )."joined" < (
-         CAST(DATE_TRUNC('week', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(-7)
+         CAST(DATE_TRUNC('week', CAST($1 AS TIMESTAMP)) AS TIMESTAMP) + CAST('-7 days' AS INTERVAL)
-       ) + TO_DAYS(7)
+       ) + CAST('7 days' AS INTERVAL)

-- map_value: attributes.get("city") = "Rome"
-     MAP_EXTRACT_VALUE(p1."attributes", 'city') = 'Rome'
+     JSONB_EXTRACT_PATH_TEXT(p1."attributes", 'city') = 'Rome'

-- member_elsewhere: inSegment("elsewhere")
-       MAP_EXTRACT_VALUE(MAP_EXTRACT_VALUE(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'realized'
+       JSONB_EXTRACT_PATH_TEXT(
+         JSONB_EXTRACT_PATH(JSONB_EXTRACT_PATH(p1."segmentMembership", 'ups'), 'elsewhere'),
+         'status'
+       ) = 'realized'
-       MAP_EXTRACT_VALUE(MAP_EXTRACT_VALUE(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'existing'
+       JSONB_EXTRACT_PATH_TEXT(
+         JSONB_EXTRACT_PATH(JSONB_EXTRACT_PATH(p1."segmentMembership", 'ups'), 'elsewhere'),
+         'status'
+       ) = 'existing'

-- list_some: favoriteColors = "red"
-- the same

-- order_total: orders.sum(price) > 20 and orders.count() >= 2
-     CAST(SUM(CAST(u1.x1."price" AS DECIMAL(38, 6))) AS DECIMAL(18, 6)) AS v
+     CAST(SUM(CAST(u1."price" AS DECIMAL(38, 6))) AS DECIMAL(18, 6)) AS v
-   CROSS JOIN UNNEST(p2."orders") AS u1(x1)
+   CROSS JOIN UNNEST(p2."orders") AS u1
-     NOT u1.x1."price" IS NULL
+     NOT u1."price" IS NULL
-   CROSS JOIN UNNEST(p3."orders") AS u2(x2)
+   CROSS JOIN UNNEST(p3."orders") AS u2
-   WHERE
-     NOT u2.x2 IS NULL

-- order_mean: orders.average(quantity) > 2.5
-       CAST(SUM(CAST(u1.x1."quantity" AS DECIMAL(38, 0))) AS DOUBLE) / NULLIF(CAST(COUNT(u1.x1."quantity") AS DOUBLE), 0)
+       CAST(SUM(CAST(u1."quantity" AS DECIMAL(38, 0))) AS DOUBLE PRECISION) / NULLIF(CAST(COUNT(u1."quantity") AS DOUBLE PRECISION), 0)
-   CROSS JOIN UNNEST(p2."orders") AS u1(x1)
+   CROSS JOIN UNNEST(p2."orders") AS u1
-     NOT u1.x1."quantity" IS NULL
+     NOT u1."quantity" IS NULL
-     a1.v > CAST('2.5' AS DOUBLE)
+     a1.v > CAST('2.5' AS DOUBLE PRECISION)

-- counted: xEvent[eventType = "view" and timestamp occurs <= 30 days before now].count() >= 2
-         CAST($now AS TIMESTAMP) + TO_DAYS(-30)
+         CAST($1 AS TIMESTAMP) + CAST('-30 days' AS INTERVAL)
-       AND e1."timestamp" <= CAST($now AS TIMESTAMP)
+       AND e1."timestamp" <= CAST($1 AS TIMESTAMP)

-- pages: xEvent.page.distinct().count() >= 3
-- the same

-- least_page: xEvent.min(page) = "A"
-     MIN(e1."page") AS v
+     MIN(e1."page" COLLATE "C") AS v

-- same_item: xEvent[productListItems[SKU = "PS" and quantity > 2]].count() >= 1
-       FROM UNNEST(e1."productListItems") AS u1(x1)
+       FROM UNNEST(e1."productListItems") AS u1
-             u1.x1."SKU" = 'PS'
+             u1."SKU" = 'PS'
-             u1.x1."quantity" > 2
+             u1."quantity" > 2

-- same_item_exists: exists E from xEvent where E.eventType = "buy", I from E.productListItems where I.SKU = "PS"
-     CROSS JOIN UNNEST(e1."productListItems") AS u1(x1)
+     CROSS JOIN UNNEST(e1."productListItems") AS u1
-         u1.x1."SKU" = 'PS'
+         u1."SKU" = 'PS'

-- item_total: xEvent[eventType = "buy"].productListItems.sum(priceTotal) > 12
-     CAST(SUM(CAST(u1.x1."priceTotal" AS DECIMAL(38, 6))) AS DECIMAL(18, 6)) AS v
+     CAST(SUM(CAST(u1."priceTotal" AS DECIMAL(38, 6))) AS DECIMAL(18, 6)) AS v
-   CROSS JOIN UNNEST(e1."productListItems") AS u1(x1)
+   CROSS JOIN UNNEST(e1."productListItems") AS u1
-     )
-     AND NOT u1.x1 IS NULL
-     AND NOT u1.x1."priceTotal" IS NULL
+     ) AND NOT u1."priceTotal" IS NULL

-- items_per_event: xEvent[productListItems.count() >= 2].count() > 1
-         FROM UNNEST(e1."productListItems") AS u1(x1)
+         FROM UNNEST(e1."productListItems") AS u1

-- profile_in_item: xEvent[productListItems[name = person.name]].count() > 0
-       FROM UNNEST(e1."productListItems") AS u1(x1)
+       FROM UNNEST(e1."productListItems") AS u1
-           u1.x1."name" = p2."person"."name"
+           u1."name" = (
+             p2."person"
+           )."name"

-- last_page: xEvent.topN(timestamp, 1).head().page = "A"
-       ORDER BY e1."timestamp" DESC, e1."timestamp" ASC, e1."_id" ASC, e1."_seq" ASC
+       ORDER BY e1."timestamp" DESC NULLS LAST, e1."timestamp" ASC, e1."_id" COLLATE "C" ASC, e1."_seq" ASC

-- look_back: chain(xEvent, timestamp, [A: WHAT(eventType = "view"), B: WHAT(page = A.page and eventType = "buy")])
-- the same

-- excluded: chain(xEvent, timestamp, [A: WHAT(eventType = "view"), X: not WHAT(eventType = "add"), B: WHAT(eventType = "buy")])
-- the same

-- abandoned: chain(xEvent, timestamp, [A: WHAT(eventType = "add"), B: not WHAT(eventType = "buy") WHEN(< 2 days after A)])
-       AND CAST($now AS TIMESTAMP) >= (
+       AND CAST($1 AS TIMESTAMP) >= (
-         e1."timestamp" + TO_DAYS(2)
+         e1."timestamp" + CAST('2 days' AS INTERVAL)
-               e1."timestamp" + TO_DAYS(2)
+               e1."timestamp" + CAST('2 days' AS INTERVAL)

-- top: orders.topN(price, 2).sum(price) > 5
-- the same
