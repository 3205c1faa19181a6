-- equal: homeAddress.country = "US"
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  (
    p1."homeAddress"."country" = 'US'
  );
-- parameters: none

-- not_among: homeAddress.city notIn ["Rome", "Köln"]
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  (
    NOT (
      p1."homeAddress"."city" IN ('Rome', 'Köln')
    )
  );
-- parameters: none

-- starts: person.name.startsWith("JO", false)
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  STARTS_WITH(LOWER(REPLACE(REPLACE(p1."person"."name", 'İ', 'i̇'), 'Σ', 'σ')), 'jo');
-- parameters: none

-- like_signs: person.name like "_!%\\\\%"
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  (
    p1."person"."name" LIKE '_!!%\%' ESCAPE '!'
  );
-- parameters: none

-- quotes: person.name = "it's \\ \"q\""
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  (
    p1."person"."name" = 'it''s \ "q"'
  );
-- parameters: none

-- matches: person.name.matches("(?i)^jo.*n$")
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  REGEXP_MATCHES(p1."person"."name", '(?i)^jo.*n$');
-- parameters: none

-- arithmetic: (loyalty.points * 3 - person.age) / 2 > -20.5
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  (
    CASE
      WHEN ABS(
        (
          CAST(CAST(CASE
            WHEN (
              CAST(CASE
                WHEN (
                  CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
                ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
                THEN CAST((
                  CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
                ) AS BIGINT)
              END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
            ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
            THEN CAST((
              CAST(CASE
                WHEN (
                  CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
                ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
                THEN CAST((
                  CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
                ) AS BIGINT)
              END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
            ) AS BIGINT)
          END AS DOUBLE) AS DOUBLE) / NULLIF(CAST(CAST('2.0' AS DOUBLE) AS DOUBLE), 0)
        )
      ) <= CAST('1.7976931348623157e308' AS DOUBLE)
      THEN (
        CAST(CAST(CASE
          WHEN (
            CAST(CASE
              WHEN (
                CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
              ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
              THEN CAST((
                CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
              ) AS BIGINT)
            END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
          ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
          THEN CAST((
            CAST(CASE
              WHEN (
                CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
              ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
              THEN CAST((
                CAST(p1."loyalty"."points" AS DECIMAL(19, 0)) * CAST(3 AS DECIMAL(19, 0))
              ) AS BIGINT)
            END AS DECIMAL(38, 0)) - CAST(p1."person"."age" AS DECIMAL(38, 0))
          ) AS BIGINT)
        END AS DOUBLE) AS DOUBLE) / NULLIF(CAST(CAST('2.0' AS DOUBLE) AS DOUBLE), 0)
      )
    END > CAST('-20.5' AS DOUBLE)
  );
-- parameters: none

-- decimals: loyalty.balance * 1.5 = 0.000002 or loyalty.balance + 0.1 > 3
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  (
    (
      CASE
        WHEN ROUND(
          CAST(p1."loyalty"."balance" AS DECIMAL(19, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
          6
        ) BETWEEN CAST('-999999999999.999999' AS DECIMAL(38, 6)) AND CAST('999999999999.999999' AS DECIMAL(38, 6))
        THEN CAST(ROUND(
          CAST(p1."loyalty"."balance" AS DECIMAL(19, 6)) * CAST(CAST('1.5' AS DECIMAL(18, 6)) AS DECIMAL(18, 6)),
          6
        ) AS DECIMAL(18, 6))
      END = CAST('0.000002' AS DECIMAL(18, 6))
    )
    OR (
      CASE
        WHEN (
          CAST(p1."loyalty"."balance" AS DECIMAL(38, 6)) + CAST(CAST('0.1' AS DECIMAL(18, 6)) AS DECIMAL(38, 6))
        ) BETWEEN CAST('-999999999999.999999' AS DECIMAL(38, 6)) AND CAST('999999999999.999999' AS DECIMAL(38, 6))
        THEN CAST((
          CAST(p1."loyalty"."balance" AS DECIMAL(38, 6)) + CAST(CAST('0.1' AS DECIMAL(18, 6)) AS DECIMAL(38, 6))
        ) AS DECIMAL(18, 6))
      END > 3
    )
  );
-- parameters: none

-- remainder: (person.age - 40) % 7 = -1
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  (
    MOD(
      CASE
        WHEN (
          CAST(p1."person"."age" AS DECIMAL(38, 0)) - CAST(40 AS DECIMAL(38, 0))
        ) BETWEEN CAST('-9223372036854775808' AS DECIMAL(38, 0)) AND CAST('9223372036854775807' AS DECIMAL(38, 0))
        THEN CAST((
          CAST(p1."person"."age" AS DECIMAL(38, 0)) - CAST(40 AS DECIMAL(38, 0))
        ) AS BIGINT)
      END,
      NULLIF(7, 0)
    ) = -1
  );
-- parameters: none

-- weekday: loyalty.joined.dayOfWeek() >= 6
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  (
    EXTRACT(ISODOW FROM p1."loyalty"."joined") >= 6
  );
-- parameters: none

-- birthday_month: person.birthDate occurs this month ignoring year
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  CASE
    WHEN (
      CAST(DATE_TRUNC(
        'day',
        (
          CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
        )
      ) AS TIMESTAMP) + TO_DAYS(-1)
    ) >= (
      CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(365)
    )
    THEN NOT CAST(p1."person"."birthDate" AS TIMESTAMP) IS NULL
    WHEN (
      (
        EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
      ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
    ) <= CASE
      WHEN (
        (
          EXTRACT(MONTH FROM (
            (
              CAST(DATE_TRUNC(
                'day',
                (
                  CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
                )
              ) AS TIMESTAMP) + TO_DAYS(-1)
            ) + TO_DAYS(1)
          )) * 100
        ) + EXTRACT(DAY FROM (
          (
            CAST(DATE_TRUNC(
              'day',
              (
                CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
              )
            ) AS TIMESTAMP) + TO_DAYS(-1)
          ) + TO_DAYS(1)
        ))
      ) = 301
      THEN 229
      ELSE (
        (
          EXTRACT(MONTH FROM (
            CAST(DATE_TRUNC(
              'day',
              (
                CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
              )
            ) AS TIMESTAMP) + TO_DAYS(-1)
          )) * 100
        ) + EXTRACT(DAY FROM (
          CAST(DATE_TRUNC(
            'day',
            (
              CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
            )
          ) AS TIMESTAMP) + TO_DAYS(-1)
        ))
      )
    END
    THEN (
      (
        (
          EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
        ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
      ) >= (
        (
          EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
        ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
      )
      AND (
        (
          EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
        ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
      ) <= CASE
        WHEN (
          (
            EXTRACT(MONTH FROM (
              (
                CAST(DATE_TRUNC(
                  'day',
                  (
                    CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
                  )
                ) AS TIMESTAMP) + TO_DAYS(-1)
              ) + TO_DAYS(1)
            )) * 100
          ) + EXTRACT(DAY FROM (
            (
              CAST(DATE_TRUNC(
                'day',
                (
                  CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
                )
              ) AS TIMESTAMP) + TO_DAYS(-1)
            ) + TO_DAYS(1)
          ))
        ) = 301
        THEN 229
        ELSE (
          (
            EXTRACT(MONTH FROM (
              CAST(DATE_TRUNC(
                'day',
                (
                  CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
                )
              ) AS TIMESTAMP) + TO_DAYS(-1)
            )) * 100
          ) + EXTRACT(DAY FROM (
            CAST(DATE_TRUNC(
              'day',
              (
                CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
              )
            ) AS TIMESTAMP) + TO_DAYS(-1)
          ))
        )
      END
    )
    ELSE (
      (
        (
          EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
        ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
      ) >= (
        (
          EXTRACT(MONTH FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP)) * 100
        ) + EXTRACT(DAY FROM CAST(DATE_TRUNC('day', CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP)) AS TIMESTAMP))
      )
      OR (
        (
          EXTRACT(MONTH FROM CAST(p1."person"."birthDate" AS TIMESTAMP)) * 100
        ) + EXTRACT(DAY FROM CAST(p1."person"."birthDate" AS TIMESTAMP))
      ) <= CASE
        WHEN (
          (
            EXTRACT(MONTH FROM (
              (
                CAST(DATE_TRUNC(
                  'day',
                  (
                    CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
                  )
                ) AS TIMESTAMP) + TO_DAYS(-1)
              ) + TO_DAYS(1)
            )) * 100
          ) + EXTRACT(DAY FROM (
            (
              CAST(DATE_TRUNC(
                'day',
                (
                  CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
                )
              ) AS TIMESTAMP) + TO_DAYS(-1)
            ) + TO_DAYS(1)
          ))
        ) = 301
        THEN 229
        ELSE (
          (
            EXTRACT(MONTH FROM (
              CAST(DATE_TRUNC(
                'day',
                (
                  CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
                )
              ) AS TIMESTAMP) + TO_DAYS(-1)
            )) * 100
          ) + EXTRACT(DAY FROM (
            CAST(DATE_TRUNC(
              'day',
              (
                CAST(DATE_TRUNC('month', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_MONTHS(1)
              )
            ) AS TIMESTAMP) + TO_DAYS(-1)
          ))
        )
      END
    )
  END;
-- parameters: now

-- joined_window: loyalty.joined occurs <= 3 months before now
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  (
    p1."loyalty"."joined" >= (
      CAST($now AS TIMESTAMP) + TO_MONTHS(-3)
    )
    AND p1."loyalty"."joined" <= CAST($now AS TIMESTAMP)
  );
-- parameters: now

-- joined_week: loyalty.joined occurs last week
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  (
    p1."loyalty"."joined" >= (
      CAST(DATE_TRUNC('week', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(-7)
    )
    AND p1."loyalty"."joined" < (
      (
        CAST(DATE_TRUNC('week', CAST($now AS TIMESTAMP)) AS TIMESTAMP) + TO_DAYS(-7)
      ) + TO_DAYS(7)
    )
  );
-- parameters: now

-- map_value: attributes.get("city") = "Rome"
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  (
    MAP_EXTRACT_VALUE(p1."attributes", 'city') = 'Rome'
  );
-- parameters: none

-- member_elsewhere: inSegment("elsewhere")
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  (
    (
      MAP_EXTRACT_VALUE(MAP_EXTRACT_VALUE(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'realized'
    )
    OR (
      MAP_EXTRACT_VALUE(MAP_EXTRACT_VALUE(p1."segmentMembership", 'ups'), 'elsewhere')."status" = 'existing'
    )
  );
-- parameters: none

-- list_some: favoriteColors = "red"
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  p1."_pid" IN (
    SELECT
      p2."_pid"
    FROM profile AS p2
    CROSS JOIN UNNEST(p2."favoriteColors") AS u1(x1)
    WHERE
      (
        u1.x1 = 'red'
      )
  );
-- parameters: none

-- order_total: orders.sum(price) > 20 and orders.count() >= 2
SELECT
  p1."_pid" AS pid
FROM profile AS p1
LEFT JOIN (
  SELECT
    p2."_pid" AS "_pid",
    CAST(SUM(CAST(u1.x1."price" AS DECIMAL(38, 6))) AS DECIMAL(18, 6)) AS v
  FROM profile AS p2
  CROSS JOIN UNNEST(p2."orders") AS u1(x1)
  WHERE
    NOT u1.x1."price" IS NULL
  GROUP BY
    p2."_pid"
) AS a1
  ON a1."_pid" = p1."_pid"
LEFT JOIN (
  SELECT
    p3."_pid" AS "_pid",
    COUNT(*) AS v
  FROM profile AS p3
  CROSS JOIN UNNEST(p3."orders") AS u2(x2)
  WHERE
    NOT u2.x2 IS NULL
  GROUP BY
    p3."_pid"
) AS a2
  ON a2."_pid" = p1."_pid"
WHERE
  (
    COALESCE(a1.v, CAST(0 AS DECIMAL(18, 6))) > 20
  )
  AND (
    COALESCE(a2.v, 0) >= 2
  );
-- parameters: none

-- order_mean: orders.average(quantity) > 2.5
SELECT
  p1."_pid" AS pid
FROM profile AS p1
LEFT JOIN (
  SELECT
    p2."_pid" AS "_pid",
    (
      CAST(SUM(CAST(u1.x1."quantity" AS DECIMAL(38, 0))) AS DOUBLE) / NULLIF(CAST(COUNT(u1.x1."quantity") AS DOUBLE), 0)
    ) AS v
  FROM profile AS p2
  CROSS JOIN UNNEST(p2."orders") AS u1(x1)
  WHERE
    NOT u1.x1."quantity" IS NULL
  GROUP BY
    p2."_pid"
) AS a1
  ON a1."_pid" = p1."_pid"
WHERE
  (
    a1.v > CAST('2.5' AS DOUBLE)
  );
-- parameters: none

-- counted: xEvent[eventType = "view" and timestamp occurs <= 30 days before now].count() >= 2
SELECT
  p1."_pid" AS pid
FROM profile AS p1
LEFT JOIN (
  SELECT
    e1."_pid" AS "_pid",
    COUNT(*) AS v
  FROM event AS e1
  WHERE
    (
      e1."eventType" = 'view'
    )
    AND (
      e1."timestamp" >= (
        CAST($now AS TIMESTAMP) + TO_DAYS(-30)
      )
      AND e1."timestamp" <= CAST($now AS TIMESTAMP)
    )
  GROUP BY
    e1."_pid"
) AS a1
  ON a1."_pid" = p1."_pid"
WHERE
  (
    COALESCE(a1.v, 0) >= 2
  );
-- parameters: now

-- pages: xEvent.page.distinct().count() >= 3
SELECT
  p1."_pid" AS pid
FROM profile AS p1
LEFT JOIN (
  SELECT
    e1."_pid" AS "_pid",
    COUNT(DISTINCT e1."page") AS v
  FROM event AS e1
  WHERE
    NOT e1."page" IS NULL
  GROUP BY
    e1."_pid"
) AS a1
  ON a1."_pid" = p1."_pid"
WHERE
  (
    COALESCE(a1.v, 0) >= 3
  );
-- parameters: none

-- least_page: xEvent.min(page) = "A"
SELECT
  p1."_pid" AS pid
FROM profile AS p1
LEFT JOIN (
  SELECT
    e1."_pid" AS "_pid",
    MIN(e1."page") AS v
  FROM event AS e1
  WHERE
    NOT e1."page" IS NULL
  GROUP BY
    e1."_pid"
) AS a1
  ON a1."_pid" = p1."_pid"
WHERE
  (
    a1.v = 'A'
  );
-- parameters: none

-- same_item: xEvent[productListItems[SKU = "PS" and quantity > 2]].count() >= 1
SELECT
  p1."_pid" AS pid
FROM profile AS p1
LEFT JOIN (
  SELECT
    e1."_pid" AS "_pid",
    COUNT(*) AS v
  FROM event AS e1
  WHERE
    EXISTS(
      SELECT
        1
      FROM UNNEST(e1."productListItems") AS u1(x1)
      WHERE
        (
          (
            u1.x1."SKU" = 'PS'
          ) AND (
            u1.x1."quantity" > 2
          )
        )
    )
  GROUP BY
    e1."_pid"
) AS a1
  ON a1."_pid" = p1."_pid"
WHERE
  (
    COALESCE(a1.v, 0) >= 1
  );
-- parameters: none

-- same_item_exists: exists E from xEvent where E.eventType = "buy", I from E.productListItems where I.SKU = "PS"
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  p1."_pid" IN (
    SELECT
      e1."_pid"
    FROM event AS e1
    CROSS JOIN UNNEST(e1."productListItems") AS u1(x1)
    WHERE
      (
        e1."eventType" = 'buy'
      ) AND (
        u1.x1."SKU" = 'PS'
      )
  );
-- parameters: none

-- item_total: xEvent[eventType = "buy"].productListItems.sum(priceTotal) > 12
SELECT
  p1."_pid" AS pid
FROM profile AS p1
LEFT JOIN (
  SELECT
    e1."_pid" AS "_pid",
    CAST(SUM(CAST(u1.x1."priceTotal" AS DECIMAL(38, 6))) AS DECIMAL(18, 6)) AS v
  FROM event AS e1
  CROSS JOIN UNNEST(e1."productListItems") AS u1(x1)
  WHERE
    (
      e1."eventType" = 'buy'
    )
    AND NOT u1.x1 IS NULL
    AND NOT u1.x1."priceTotal" IS NULL
  GROUP BY
    e1."_pid"
) AS a1
  ON a1."_pid" = p1."_pid"
WHERE
  (
    COALESCE(a1.v, CAST(0 AS DECIMAL(18, 6))) > 12
  );
-- parameters: none

-- items_per_event: xEvent[productListItems.count() >= 2].count() > 1
SELECT
  p1."_pid" AS pid
FROM profile AS p1
LEFT JOIN (
  SELECT
    e1."_pid" AS "_pid",
    COUNT(*) AS v
  FROM event AS e1
  WHERE
    (
      (
        SELECT
          COUNT(*)
        FROM UNNEST(e1."productListItems") AS u1(x1)
      ) >= 2
    )
  GROUP BY
    e1."_pid"
) AS a1
  ON a1."_pid" = p1."_pid"
WHERE
  (
    COALESCE(a1.v, 0) > 1
  );
-- parameters: none

-- profile_in_item: xEvent[productListItems[name = person.name]].count() > 0
SELECT
  p1."_pid" AS pid
FROM profile AS p1
LEFT JOIN (
  SELECT
    e1."_pid" AS "_pid",
    COUNT(*) AS v
  FROM event AS e1
  JOIN profile AS p2
    ON p2."_pid" = e1."_pid"
  WHERE
    EXISTS(
      SELECT
        1
      FROM UNNEST(e1."productListItems") AS u1(x1)
      WHERE
        (
          u1.x1."name" = p2."person"."name"
        )
    )
  GROUP BY
    e1."_pid"
) AS a1
  ON a1."_pid" = p1."_pid"
WHERE
  (
    COALESCE(a1.v, 0) > 0
  );
-- parameters: none

-- last_page: xEvent.topN(timestamp, 1).head().page = "A"
SELECT
  p1."_pid" AS pid
FROM profile AS p1
LEFT JOIN (
  SELECT
    e1."_pid" AS "_pid",
    e1."page" AS v,
    ROW_NUMBER() OVER (
      PARTITION BY e1."_pid"
      ORDER BY e1."timestamp" DESC, e1."timestamp" ASC, e1."_id" ASC, e1."_seq" ASC
    ) AS n
  FROM event AS e1
) AS a1
  ON a1."_pid" = p1."_pid" AND a1.n = 1
WHERE
  (
    a1.v = 'A'
  );
-- parameters: none

-- look_back: chain(xEvent, timestamp, [A: WHAT(eventType = "view"), B: WHAT(page = A.page and eventType = "buy")])
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  p1."_pid" IN (
    SELECT
      e1."_pid"
    FROM event AS e1
    JOIN event AS e2
      ON e2."_pid" = e1."_pid"
    WHERE
      NOT e1."timestamp" IS NULL
      AND (
        e1."eventType" = 'view'
      )
      AND e2."timestamp" > e1."timestamp"
      AND (
        e2."page" = e1."page"
      )
      AND (
        e2."eventType" = 'buy'
      )
  );
-- parameters: none

-- excluded: chain(xEvent, timestamp, [A: WHAT(eventType = "view"), X: not WHAT(eventType = "add"), B: WHAT(eventType = "buy")])
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  p1."_pid" IN (
    SELECT
      e1."_pid"
    FROM event AS e1
    JOIN event AS e2
      ON e2."_pid" = e1."_pid"
    WHERE
      NOT e1."timestamp" IS NULL
      AND (
        e1."eventType" = 'view'
      )
      AND e2."timestamp" > e1."timestamp"
      AND (
        e2."eventType" = 'buy'
      )
      AND NOT EXISTS(
        SELECT
          1
        FROM event AS e3
        WHERE
          e3."_pid" = e1."_pid"
          AND e3."timestamp" > e1."timestamp"
          AND e3."timestamp" < e2."timestamp"
          AND (
            e3."eventType" = 'add'
          )
      )
  );
-- parameters: none

-- abandoned: chain(xEvent, timestamp, [A: WHAT(eventType = "add"), B: not WHAT(eventType = "buy") WHEN(< 2 days after A)])
SELECT
  p1."_pid" AS pid
FROM profile AS p1
WHERE
  p1."_pid" IN (
    SELECT
      e1."_pid"
    FROM event AS e1
    WHERE
      NOT e1."timestamp" IS NULL
      AND (
        e1."eventType" = 'add'
      )
      AND CAST($now AS TIMESTAMP) >= (
        e1."timestamp" + TO_DAYS(2)
      )
      AND NOT EXISTS(
        SELECT
          1
        FROM event AS e2
        WHERE
          e2."_pid" = e1."_pid"
          AND e2."timestamp" > e1."timestamp"
          AND (
            e2."eventType" = 'buy'
          )
          AND (
            e2."timestamp" >= e1."timestamp"
            AND e2."timestamp" < (
              e1."timestamp" + TO_DAYS(2)
            )
          )
      )
  );
-- parameters: now

-- top: orders.topN(price, 2).sum(price) > 5
-- refused: `topN`: a list made like this has no rows here
