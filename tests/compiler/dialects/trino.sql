-- equal: homeAddress.country = "US"
-- the same

-- not_among: homeAddress.city notIn ["Rome", "Köln"]
-- the same

-- starts: person.name.startsWith("JO", false)
-- the same

-- like_signs: person.name like "_!%\\\\%"
-- the same

-- quotes: person.name = "it's \\ \"q\""
-- the same

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
+     DAY_OF_WEEK(p1."loyalty"."joined") >= 6

-- birthday_month: person.birthDate occurs this month ignoring year
-     WHEN (
+     WHEN DATE_ADD(
+       'day',
+       -1,
-         (
-           CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+         DATE_ADD('month', 1, CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6)))
-         )
-       ) AS TIMESTAMP) + TO_DAYS(-1)
-     ) >= (
+       ) AS TIMESTAMP(6))
+     ) >= DATE_ADD(
+       'day',
+       365,
-       CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(365)
+       CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6))) AS TIMESTAMP(6))
-     THEN NOT CAST(p1."person"."birthDate" AS TIMESTAMP) IS NULL
+     THEN NOT CAST(p1."person"."birthDate" AS TIMESTAMP(6)) IS NULL
-         EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
+         EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6))) AS TIMESTAMP(6))) * 100
-       ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+       ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6))) AS TIMESTAMP(6)))
-           EXTRACT(MONTH FROM (
+           EXTRACT(MONTH FROM DATE_ADD(
+             'day',
-             (
+             1,
-               CAST(DATE_TRUNC(
+             DATE_ADD(
-                 'day',
+               'day',
-                 (
+               -1,
+               CAST(DATE_TRUNC(
+                 'day',
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                 DATE_ADD('month', 1, CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6)))
+               ) AS TIMESTAMP(6))
-                 )
+             )
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             ) + TO_DAYS(1)
-         ) + EXTRACT(DAY FROM (
+         ) + EXTRACT(DAY FROM DATE_ADD(
+           'day',
-           (
+           1,
-             CAST(DATE_TRUNC(
+           DATE_ADD(
-               'day',
+             'day',
-               (
+             -1,
+             CAST(DATE_TRUNC(
+               'day',
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+               DATE_ADD('month', 1, CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6)))
+             ) AS TIMESTAMP(6))
-               )
+           )
-             ) AS TIMESTAMP) + TO_DAYS(-1)
-           ) + TO_DAYS(1)
-           EXTRACT(MONTH FROM (
+           EXTRACT(MONTH FROM DATE_ADD(
-             CAST(DATE_TRUNC(
-               'day',
+             'day',
-               (
+             -1,
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+             CAST(DATE_TRUNC(
-               )
+               'day',
+               DATE_ADD('month', 1, CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6)))
-             ) AS TIMESTAMP) + TO_DAYS(-1)
+             ) AS TIMESTAMP(6))
-         ) + EXTRACT(DAY FROM (
+         ) + EXTRACT(DAY FROM DATE_ADD(
+           'day',
+           -1,
-             (
-               CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+             DATE_ADD('month', 1, CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6)))
-             )
-           ) AS TIMESTAMP) + TO_DAYS(-1)
+           ) AS TIMESTAMP(6))
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
+           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP(6))) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP(6)))
-           EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
+           EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6))) AS TIMESTAMP(6))) * 100
-         ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+         ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6))) AS TIMESTAMP(6)))
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
+           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP(6))) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP(6)))
-             EXTRACT(MONTH FROM (
+             EXTRACT(MONTH FROM DATE_ADD(
+               'day',
-               (
+               1,
+               DATE_ADD(
+                 'day',
+                 -1,
-                   (
-                     CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                   DATE_ADD('month', 1, CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6)))
+                 ) AS TIMESTAMP(6))
-                   )
+               )
-                 ) AS TIMESTAMP) + TO_DAYS(-1)
-               ) + TO_DAYS(1)
-           ) + EXTRACT(DAY FROM (
+           ) + EXTRACT(DAY FROM DATE_ADD(
+             'day',
-             (
+             1,
-               CAST(DATE_TRUNC(
+             DATE_ADD(
-                 'day',
+               'day',
-                 (
+               -1,
+               CAST(DATE_TRUNC(
+                 'day',
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                 DATE_ADD('month', 1, CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6)))
+               ) AS TIMESTAMP(6))
-                 )
+             )
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             ) + TO_DAYS(1)
-             EXTRACT(MONTH FROM (
+             EXTRACT(MONTH FROM DATE_ADD(
-               CAST(DATE_TRUNC(
-                 'day',
+               'day',
-                 (
+               -1,
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                 )
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             )) * 100
-           ) + EXTRACT(DAY FROM (
-             CAST(DATE_TRUNC(
+               CAST(DATE_TRUNC(
-               'day',
+                 'day',
+                 DATE_ADD('month', 1, CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6)))
+               ) AS TIMESTAMP(6))
+             )) * 100
+           ) + EXTRACT(DAY FROM DATE_ADD(
+             'day',
-               (
+             -1,
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+             CAST(DATE_TRUNC(
-               )
+               'day',
+               DATE_ADD('month', 1, CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6)))
-             ) AS TIMESTAMP) + TO_DAYS(-1)
+             ) AS TIMESTAMP(6))
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
+           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP(6))) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP(6)))
-           EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
+           EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6))) AS TIMESTAMP(6))) * 100
-         ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
+         ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6))) AS TIMESTAMP(6)))
-           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
+           EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP(6))) * 100
-         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
+         ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP(6)))
-             EXTRACT(MONTH FROM (
+             EXTRACT(MONTH FROM DATE_ADD(
+               'day',
-               (
+               1,
+               DATE_ADD(
+                 'day',
+                 -1,
-                   (
-                     CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                   DATE_ADD('month', 1, CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6)))
+                 ) AS TIMESTAMP(6))
-                   )
+               )
-                 ) AS TIMESTAMP) + TO_DAYS(-1)
-               ) + TO_DAYS(1)
-           ) + EXTRACT(DAY FROM (
+           ) + EXTRACT(DAY FROM DATE_ADD(
+             'day',
-             (
+             1,
-               CAST(DATE_TRUNC(
+             DATE_ADD(
-                 'day',
+               'day',
-                 (
+               -1,
+               CAST(DATE_TRUNC(
+                 'day',
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+                 DATE_ADD('month', 1, CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6)))
+               ) AS TIMESTAMP(6))
-                 )
+             )
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             ) + TO_DAYS(1)
-             EXTRACT(MONTH FROM (
+             EXTRACT(MONTH FROM DATE_ADD(
-               CAST(DATE_TRUNC(
-                 'day',
+               'day',
-                 (
+               -1,
-                   CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
-                 )
-               ) AS TIMESTAMP) + TO_DAYS(-1)
-             )) * 100
-           ) + EXTRACT(DAY FROM (
-             CAST(DATE_TRUNC(
+               CAST(DATE_TRUNC(
-               'day',
+                 'day',
+                 DATE_ADD('month', 1, CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6)))
+               ) AS TIMESTAMP(6))
+             )) * 100
+           ) + EXTRACT(DAY FROM DATE_ADD(
+             'day',
-               (
+             -1,
-                 CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
+             CAST(DATE_TRUNC(
-               )
+               'day',
+               DATE_ADD('month', 1, CAST(DATE_TRUNC('month', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6)))
-             ) AS TIMESTAMP) + TO_DAYS(-1)
+             ) AS TIMESTAMP(6))
- -- parameters: now
+ -- parameters: now, now, now, now, now, now, now, now, now, now, now, now, now, now, now, now, now, now, now, now

-- joined_window: loyalty.joined occurs <= 3 months before now
+     p1."loyalty"."joined" >= DATE_ADD('month', -3, CAST(? AS TIMESTAMP(6)))
-     p1."loyalty"."joined" >= (
-       CAST($now AS TIMESTAMP) + TO_MONTHS(-3)
-     )
-     AND p1."loyalty"."joined" <= CAST($now AS TIMESTAMP)
+     AND p1."loyalty"."joined" <= CAST(? AS TIMESTAMP(6))
- -- parameters: now
+ -- parameters: now, now

-- joined_week: loyalty.joined occurs last week
+     p1."loyalty"."joined" >= DATE_ADD('day', -7, CAST(DATE_TRUNC('week', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6)))
-     p1."loyalty"."joined" >= (
-       CAST(DATE_TRUNC('week', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(-7)
-     )
-     AND p1."loyalty"."joined" < (
+     AND p1."loyalty"."joined" < DATE_ADD(
+       'day',
-       (
+       7,
-         CAST(DATE_TRUNC('week', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(-7)
+       DATE_ADD('day', -7, CAST(DATE_TRUNC('week', CAST(? AS TIMESTAMP(6))) AS TIMESTAMP(6)))
-       ) + TO_DAYS(7)
- -- parameters: now
+ -- parameters: now, now

-- map_value: attributes.get("city") = "Rome"
-     MAP_EXTRACT_VALUE(p1."attributes", 'city') = 'Rome'
+     ELEMENT_AT(p1."attributes", 'city') = 'Rome'

-- member_elsewhere: inSegment("elsewhere")
-       MAP_EXTRACT_VALUE(MAP_EXTRACT_VALUE(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'realized'
+       ELEMENT_AT(ELEMENT_AT(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'realized'
-       MAP_EXTRACT_VALUE(MAP_EXTRACT_VALUE(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'existing'
+       ELEMENT_AT(ELEMENT_AT(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'existing'

-- list_some: favoriteColors = "red"
-- the same

-- order_total: orders.sum(price) > 20 and orders.count() >= 2
-   CROSS JOIN UNNEST(p2."orders") AS u1(x1)
+   CROSS JOIN UNNEST(TRANSFORM(p2."orders", x1 -> ROW(x1))) AS u1(x1)
-   CROSS JOIN UNNEST(p3."orders") AS u2(x2)
+   CROSS JOIN UNNEST(TRANSFORM(p3."orders", x2 -> ROW(x2))) AS u2(x2)

-- order_mean: orders.average(quantity) > 2.5
-   CROSS JOIN UNNEST(p2."orders") AS u1(x1)
+   CROSS JOIN UNNEST(TRANSFORM(p2."orders", x1 -> ROW(x1))) AS u1(x1)

-- counted: xEvent[eventType = "view" and timestamp occurs <= 30 days before now].count() >= 2
+       e1."timestamp" >= DATE_ADD('day', -30, CAST(? AS TIMESTAMP(6)))
-       e1."timestamp" >= (
-         CAST($now AS TIMESTAMP) + TO_DAYS(-30)
-       )
-       AND e1."timestamp" <= CAST($now AS TIMESTAMP)
+       AND e1."timestamp" <= CAST(? AS TIMESTAMP(6))
- -- parameters: now
+ -- parameters: now, now

-- pages: xEvent.page.distinct().count() >= 3
-- the same

-- least_page: xEvent.min(page) = "A"
-- the same

-- same_item: xEvent[productListItems[SKU = "PS" and quantity > 2]].count() >= 1
+     ANY_MATCH(
+       e1."productListItems",
+       x1 -> (
+         COALESCE((
-     EXISTS(
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
+     CROSS JOIN UNNEST(TRANSFORM(e1."productListItems", x1 -> ROW(x1))) AS u1(x1)

-- item_total: xEvent[eventType = "buy"].productListItems.sum(priceTotal) > 12
-   CROSS JOIN UNNEST(e1."productListItems") AS u1(x1)
+   CROSS JOIN UNNEST(TRANSFORM(e1."productListItems", x1 -> ROW(x1))) AS u1(x1)

-- items_per_event: xEvent[productListItems.count() >= 2].count() > 1
+       COALESCE(CARDINALITY(FILTER(e1."productListItems", x1 -> TRUE)), 0) >= 2
-       (
-         SELECT
-           COUNT(*)
-         FROM UNNEST(e1."productListItems") AS u1(x1)
-       ) >= 2

-- profile_in_item: xEvent[productListItems[name = person.name]].count() > 0
+     ANY_MATCH(e1."productListItems", x1 -> COALESCE((
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
-- the same

-- look_back: chain(xEvent, timestamp, [A: WHAT(eventType = "view"), B: WHAT(page = A.page and eventType = "buy")])
-- the same

-- excluded: chain(xEvent, timestamp, [A: WHAT(eventType = "view"), X: not WHAT(eventType = "add"), B: WHAT(eventType = "buy")])
-- the same

-- abandoned: chain(xEvent, timestamp, [A: WHAT(eventType = "add"), B: not WHAT(eventType = "buy") WHEN(< 2 days after A)])
+       AND CAST(? AS TIMESTAMP(6)) >= DATE_ADD('day', 2, e1."timestamp")
-       AND CAST($now AS TIMESTAMP) >= (
-         e1."timestamp" + TO_DAYS(2)
-       )
+             AND e2."timestamp" < DATE_ADD('day', 2, e1."timestamp")
-             AND e2."timestamp" < (
-               e1."timestamp" + TO_DAYS(2)
-             )

-- top: orders.topN(price, 2).sum(price) > 5
-- the same
