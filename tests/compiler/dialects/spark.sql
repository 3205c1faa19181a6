-- equal: homeAddress.country = "US"
-- the same

-- not_among: homeAddress.city notIn ["Rome", "Köln"]
-- the same

-- starts: person.name.startsWith("JO", false)
-   STARTS_WITH(LOWER(REPLACE(REPLACE(p1."person"."name", 'İ', 'i̇'), 'Σ', 'σ')), 'jo');
+   STARTSWITH(LOWER(REPLACE(REPLACE(p1."person"."name", 'İ', 'i̇'), 'Σ', 'σ')), 'jo');

-- like_signs: person.name like "_!%\\\\%"
-     p1."person"."name" LIKE '_!!%\%' ESCAPE '!'
+     p1."person"."name" LIKE '_!!%\\%' ESCAPE '!'

-- quotes: person.name = "it's \\ \"q\""
-     p1."person"."name" = 'it''s \ "q"'
+     p1."person"."name" = 'it\'s \\ "q"'

-- matches: person.name.matches("(?i)^jo.*n$")
+ -- refused: "matches": its regular expressions are not RE2
- SELECT
-   p1."_pid" AS pid
- FROM profile AS p1
- WHERE
-   REGEXP_MATCHES(p1."person"."name", '(?i)^jo.*n$');
- -- parameters: none

-- arithmetic: (loyalty.points * 3 - person.age) / 2 > -20.5
-- the same

-- decimals: loyalty.balance * 1.5 = 0.000002 or loyalty.balance + 0.1 > 3
-           CAST(p1."loyalty"."balance" AS DECIMAL(19, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
+           CAST(p1."loyalty"."balance" AS DECIMAL(18, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
-           CAST(p1."loyalty"."balance" AS DECIMAL(19, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
+           CAST(p1."loyalty"."balance" AS DECIMAL(18, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),

-- remainder: (person.age - 40) % 7 = -1
-- the same

-- weekday: loyalty.joined.dayOfWeek() >= 6
-     EXTRACT(ISODOW FROM p1."loyalty"."joined") >= 6
+     (
+       WEEKDAY(p1."loyalty"."joined") + 1
+     ) >= 6

-- birthday_month: person.birthDate occurs this month ignoring year
-         'day',
+         'DAY',
-           CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+           CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ) + MAKE_YM_INTERVAL(0, 1)
-       ) AS TIMESTAMP) + TO_DAYS(-1)
+       ) AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(-1)
-       CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(365)
+       CAST(DATE_TRUNC('DAY', CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(365)
-     THEN NOT CAST(p1."person"."birthDate" AS TIMESTAMP) IS NULL
+     THEN NOT CAST(p1."person"."birthDate" AS TIMESTAMP_NTZ) IS NULL
-         EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
+         EXTRACT(MONTH FROM CAST(DATE_TRUNC('DAY', CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ)) * 100
-       ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+       ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('DAY', CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ))
-                 'day',
+                 'DAY',
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                   CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ) + MAKE_YM_INTERVAL(0, 1)
-               ) AS TIMESTAMP) + TO_DAYS(-1)
+               ) AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(-1)
-             ) + TO_DAYS(1)
+             ) + MAKE_DT_INTERVAL(1)
-               'day',
+               'DAY',
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                 CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ) + MAKE_YM_INTERVAL(0, 1)
-             ) AS TIMESTAMP) + TO_DAYS(-1)
+             ) AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(-1)
-           ) + TO_DAYS(1)
+           ) + MAKE_DT_INTERVAL(1)
-               'day',
+               'DAY',
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                 CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ) + MAKE_YM_INTERVAL(0, 1)
-             ) AS TIMESTAMP) + TO_DAYS(-1)
+             ) AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(-1)
-             'day',
+             'DAY',
-               CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+               CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ) + MAKE_YM_INTERVAL(0, 1)
-           ) AS TIMESTAMP) + TO_DAYS(-1)
+           ) AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(-1)
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
+           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP_NTZ)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP_NTZ))
-           EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
+           EXTRACT(MONTH FROM CAST(DATE_TRUNC('DAY', CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ)) * 100
-         ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+         ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('DAY', CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ))
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
+           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP_NTZ)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP_NTZ))
-                   'day',
+                   'DAY',
-                     CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                     CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ) + MAKE_YM_INTERVAL(0, 1)
-                 ) AS TIMESTAMP) + TO_DAYS(-1)
+                 ) AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(-1)
-               ) + TO_DAYS(1)
+               ) + MAKE_DT_INTERVAL(1)
-                 'day',
+                 'DAY',
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                   CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ) + MAKE_YM_INTERVAL(0, 1)
-               ) AS TIMESTAMP) + TO_DAYS(-1)
+               ) AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(-1)
-             ) + TO_DAYS(1)
+             ) + MAKE_DT_INTERVAL(1)
-                 'day',
+                 'DAY',
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                   CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ) + MAKE_YM_INTERVAL(0, 1)
-               ) AS TIMESTAMP) + TO_DAYS(-1)
+               ) AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(-1)
-               'day',
+               'DAY',
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                 CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ) + MAKE_YM_INTERVAL(0, 1)
-             ) AS TIMESTAMP) + TO_DAYS(-1)
+             ) AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(-1)
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
+           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP_NTZ)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP_NTZ))
-           EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
+           EXTRACT(MONTH FROM CAST(DATE_TRUNC('DAY', CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ)) * 100
-         ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+         ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('DAY', CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ))
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
+           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP_NTZ)) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP_NTZ))
-                   'day',
+                   'DAY',
-                     CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                     CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ) + MAKE_YM_INTERVAL(0, 1)
-                 ) AS TIMESTAMP) + TO_DAYS(-1)
+                 ) AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(-1)
-               ) + TO_DAYS(1)
+               ) + MAKE_DT_INTERVAL(1)
-                 'day',
+                 'DAY',
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                   CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ) + MAKE_YM_INTERVAL(0, 1)
-               ) AS TIMESTAMP) + TO_DAYS(-1)
+               ) AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(-1)
-             ) + TO_DAYS(1)
+             ) + MAKE_DT_INTERVAL(1)
-                 'day',
+                 'DAY',
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                   CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ) + MAKE_YM_INTERVAL(0, 1)
-               ) AS TIMESTAMP) + TO_DAYS(-1)
+               ) AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(-1)
-               'day',
+               'DAY',
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                 CAST(DATE_TRUNC('MONTH', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ) + MAKE_YM_INTERVAL(0, 1)
-             ) AS TIMESTAMP) + TO_DAYS(-1)
+             ) AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(-1)

-- joined_window: loyalty.joined occurs <= 3 months before now
-       CAST($now AS TIMESTAMP) + TO_MONTHS(-3)
+       CAST(:now AS TIMESTAMP_NTZ) + MAKE_YM_INTERVAL(0, -3)
-     AND p1."loyalty"."joined" <= CAST($now AS TIMESTAMP)
+     AND p1."loyalty"."joined" <= CAST(:now AS TIMESTAMP_NTZ)

-- joined_week: loyalty.joined occurs last week
-       CAST(DATE_TRUNC('week', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(-7)
+       CAST(DATE_TRUNC('WEEK', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(-7)
-         CAST(DATE_TRUNC('week', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(-7)
+         CAST(DATE_TRUNC('WEEK', CAST(:now AS TIMESTAMP_NTZ)) AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(-7)
-       ) + TO_DAYS(7)
+       ) + MAKE_DT_INTERVAL(7)

-- map_value: attributes.get("city") = "Rome"
-     MAP_EXTRACT_VALUE(p1."attributes", 'city') = 'Rome'
+     TRY_ELEMENT_AT(p1."attributes", 'city') = 'Rome'

-- member_elsewhere: inSegment("elsewhere")
-       MAP_EXTRACT_VALUE(MAP_EXTRACT_VALUE(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'realized'
+       TRY_ELEMENT_AT(TRY_ELEMENT_AT(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'realized'
-       MAP_EXTRACT_VALUE(MAP_EXTRACT_VALUE(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'existing'
+       TRY_ELEMENT_AT(TRY_ELEMENT_AT(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'existing'

-- list_some: favoriteColors = "red"
-     CROSS JOIN UNNEST(p2."favoriteColors") AS u1(x1)
+     LATERAL VIEW
+     EXPLODE(p2."favoriteColors") u1 AS x1

-- order_total: orders.sum(price) > 20 and orders.count() >= 2
-   CROSS JOIN UNNEST(p2."orders") AS u1(x1)
+   LATERAL VIEW
+   EXPLODE(p2."orders") u1 AS x1
-   CROSS JOIN UNNEST(p3."orders") AS u2(x2)
+   LATERAL VIEW
+   EXPLODE(p3."orders") u2 AS x2

-- order_mean: orders.average(quantity) > 2.5
-   CROSS JOIN UNNEST(p2."orders") AS u1(x1)
+   LATERAL VIEW
+   EXPLODE(p2."orders") u1 AS x1

-- counted: xEvent[eventType = "view" and timestamp occurs <= 30 days before now].count() >= 2
-         CAST($now AS TIMESTAMP) + TO_DAYS(-30)
+         CAST(:now AS TIMESTAMP_NTZ) + MAKE_DT_INTERVAL(-30)
-       AND e1."timestamp" <= CAST($now AS TIMESTAMP)
+       AND e1."timestamp" <= CAST(:now AS TIMESTAMP_NTZ)

-- pages: xEvent.page.distinct().count() >= 3
-- the same

-- least_page: xEvent.min(page) = "A"
-- the same

-- same_item: xEvent[productListItems[SKU = "PS" and quantity > 2]].count() >= 1
+       e1."productListItems",
+       x1 -> (
+         COALESCE((
-       SELECT
-         1
-       FROM UNNEST(e1."productListItems") AS u1(x1)
-       WHERE
-         (
-           (
-             u1.x1."SKU" = 'PS'
+           x1."SKU" = 'PS'
-           ) AND (
+         ), FALSE)
+         AND COALESCE((
-             u1.x1."quantity" > 2
+           x1."quantity" > 2
-           )
+         ), FALSE)
-         )
+       )

-- same_item_exists: exists E from xEvent where E.eventType = "buy", I from E.productListItems where I.SKU = "PS"
-     CROSS JOIN UNNEST(e1."productListItems") AS u1(x1)
+     LATERAL VIEW
+     EXPLODE(e1."productListItems") u1 AS x1

-- item_total: xEvent[eventType = "buy"].productListItems.sum(priceTotal) > 12
-   CROSS JOIN UNNEST(e1."productListItems") AS u1(x1)
+   LATERAL VIEW
+   EXPLODE(e1."productListItems") u1 AS x1

-- items_per_event: xEvent[productListItems.count() >= 2].count() > 1
-       (
+       COALESCE(
-         SELECT
+         CASE
-           COUNT(*)
-         FROM UNNEST(e1."productListItems") AS u1(x1)
+           WHEN NOT e1."productListItems" IS NULL
+           THEN SIZE(FILTER(e1."productListItems", x1 -> TRUE))
+         END,
+         0

-- profile_in_item: xEvent[productListItems[name = person.name]].count() > 0
+     EXISTS(e1."productListItems", x1 -> COALESCE((
-     EXISTS(
-       SELECT
-         1
-       FROM UNNEST(e1."productListItems") AS u1(x1)
-       WHERE
-         (
-           u1.x1."name" = p2."person"."name"
+       x1."name" = p2."person"."name"
+     ), FALSE))
-         )
-     )

-- last_page: xEvent.topN(timestamp, 1).head().page = "A"
-       ORDER BY e1."timestamp" DESC, e1."timestamp" ASC, e1."_id" ASC, e1."_seq" ASC
+       ORDER BY e1."timestamp" DESC, e1."timestamp" ASC NULLS LAST, e1."_id" ASC NULLS LAST, e1."_seq" ASC NULLS LAST

-- look_back: chain(xEvent, timestamp, [A: WHAT(eventType = "view"), B: WHAT(page = A.page and eventType = "buy")])
-- the same

-- excluded: chain(xEvent, timestamp, [A: WHAT(eventType = "view"), X: not WHAT(eventType = "add"), B: WHAT(eventType = "buy")])
-- the same

-- abandoned: chain(xEvent, timestamp, [A: WHAT(eventType = "add"), B: not WHAT(eventType = "buy") WHEN(< 2 days after A)])
-       AND CAST($now AS TIMESTAMP) >= (
+       AND CAST(:now AS TIMESTAMP_NTZ) >= (
-         e1."timestamp" + TO_DAYS(2)
+         e1."timestamp" + MAKE_DT_INTERVAL(2)
-               e1."timestamp" + TO_DAYS(2)
+               e1."timestamp" + MAKE_DT_INTERVAL(2)

-- top: orders.topN(price, 2).sum(price) > 5
-- the same
