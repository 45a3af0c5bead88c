-- title: Accounts and regions that fail: since when, until when, and who can fix them
-- about: One row for each table, account and region whose last run did not end well, the nearest loss
--   first. failing_since is the first run of the unbroken series of failures, failing_runs their number.
--   unread_since is the time up to which good drains have read it without a gap, and first_loss_time when
--   AWS deletes the first of what is unread; hours_to_loss is the time from the last run until then. If it
--   is negative, AWS has been deleting unread records since first_loss_time, and lost-days has what is
--   gone for good. A target that was never read has neither, and comes first: AWS deletes the oldest of
--   its records every day. healed_by is who can change it: account_team has access to the account,
--   exporter_owner runs this program, and AWS recovers by itself or through its support. A region that was
--   never read because it is not enabled does not fail, nor does a run that had nothing left to ask for
--   (EmptyWindow).
-- parameter: days integer default 35 — Targets that a run asked within so many days before the last run
-- reads: every day
WITH outcomes AS (
  SELECT
    table_name,
    account_id,
    region,
    as_of,
    CAST(
      floor(
        CAST(
          date_diff(
            'millisecond',
            coalesce(
              remembered_from,
              CASE
                WHEN table_name = 'copy_job_summaries' THEN as_of - 14 * INTERVAL '1' DAY
                ELSE as_of - 30 * INTERVAL '1' DAY
              END
            ),
            as_of
          ) AS double
        )
          / 1000
      ) AS bigint
    ) AS memory_seconds,
    row_number() OVER (
      PARTITION BY table_name, account_id, region
      ORDER BY as_of DESC NULLS LAST, run_id DESC NULLS LAST
    ) AS place,
    count(CASE WHEN status IN ('OK', 'OK_EMPTY') THEN 1 END) OVER (
      PARTITION BY table_name, account_id, region
      ORDER BY as_of DESC NULLS LAST, run_id DESC NULLS LAST
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS good_since
  FROM export_coverage
  WHERE NOT coalesce(status = 'SKIPPED' AND error_name = 'EmptyWindow', false)
),
failing AS (
  SELECT
    outcomes.table_name,
    outcomes.account_id,
    outcomes.region,
    min(outcomes.as_of) AS failing_since,
    count(*) AS failing_runs,
    max(CASE WHEN outcomes.place = 1 THEN outcomes.memory_seconds END) AS memory_seconds
  FROM outcomes
  WHERE outcomes.good_since = 0
  GROUP BY outcomes.table_name, outcomes.account_id, outcomes.region
),
dated AS (
  SELECT
    target_drains.table_name,
    target_drains.account_id,
    target_drains.account_name,
    target_drains.region,
    target_drains.last_status,
    target_drains.last_error_name,
    target_drains.last_error_message,
    target_drains.last_asked_time,
    target_drains.last_good_drain_time,
    failing.failing_since,
    failing.failing_runs,
    target_drains.last_good_drain_time + failing.memory_seconds * INTERVAL '1' SECOND AS first_loss_time
  FROM target_drains
  INNER JOIN failing
    ON failing.table_name = target_drains.table_name
    AND failing.account_id = target_drains.account_id
    AND failing.region = target_drains.region
)
SELECT
  dated.table_name,
  dated.account_id,
  coalesce(dated.account_name, account_names.account_name) AS account_name,
  dated.region,
  dated.last_status,
  dated.failing_since,
  dated.failing_runs,
  dated.last_good_drain_time AS unread_since,
  dated.first_loss_time,
  round(CAST(date_diff('millisecond', lake_time.as_of, dated.first_loss_time) AS double) / 3600000, 2) AS hours_to_loss,
  CASE
    WHEN dated.last_status IN ('ACCESS_DENIED', 'ASSUME_ROLE_FAILED', 'REGION_DISABLED') THEN 'account_team'
    WHEN dated.last_status = 'THROTTLED' THEN 'AWS'
    WHEN dated.last_status = 'FAILED'
      AND dated.last_error_name IN (
        'ServiceUnavailableException',
        'ServiceUnavailable',
        'InternalServerException',
        'InternalServerError',
        'InternalFailure'
      )
      THEN 'AWS'
    ELSE 'exporter_owner'
  END AS healed_by,
  CASE
    WHEN dated.last_status = 'FAILED'
      AND dated.last_error_name IN (
        'RequestExpired',
        'RequestInTheFuture',
        'RequestTimeTooSkewed',
        'InvalidSignatureException',
        'SignatureDoesNotMatch'
      )
      THEN 'AWS rejected the date of the requests, even after it was corrected from AWS’s responses. The next run tries again. If this keeps happening, compare this machine’s clock with the Date header that AWS, or a proxy in between, sends.'
    WHEN dated.last_status = 'FAILED'
      AND dated.last_error_name = 'StaleAnswer'
      THEN 'The response is older than this run, so something between the job and AWS serves old responses. The next run tries again. If this keeps happening, look for a cache.'
    WHEN dated.last_status = 'SKIPPED'
      AND dated.last_error_name = 'EmptyWindow'
      THEN 'Nothing to do: earlier runs already read past --until. To read this window again, set --since too.'
    WHEN dated.last_status = 'TIMED_OUT'
      AND dated.last_error_name = 'DeadlineReached'
      THEN 'The run reached its deadline first. The next run reads and publishes this target. If this keeps happening, raise --deadline or --concurrency.'
    WHEN dated.last_status = 'TIMED_OUT'
      AND dated.last_error_name = 'PublishWindowClosed'
      THEN 'The next run reads and publishes this target. If this keeps happening, start the run earlier, or widen --publish-window.'
    WHEN dated.last_status = 'REGION_DISABLED'
      AND dated.last_error_name = 'RegionSwitchedOff'
      THEN 'Earlier runs read this region, but AWS now rejects the credentials there that it accepts elsewhere. If the region was disabled on purpose, do nothing: later runs only count it. Otherwise enable it again in this account before AWS deletes its jobs (after about 30 days).'
    WHEN dated.last_status = 'UNREACHABLE'
      AND dated.last_error_name = 'ListedRegionRefuses'
      THEN 'The next run tries again. AWS says two things of this region: it is in the list of enabled regions, and it refuses the account. A region that was enabled or disabled today agrees with the list within hours. If it keeps happening, disable the region, leave it out with --regions, or ask AWS Support.'
    WHEN dated.last_status = 'UNREACHABLE'
      AND dated.last_error_name IN (
        'CERT_UNTRUSTED',
        'DEPTH_ZERO_SELF_SIGNED_CERT',
        'SELF_SIGNED_CERT_IN_CHAIN',
        'UNABLE_TO_GET_ISSUER_CERT',
        'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
        'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
      )
      THEN 'Set NODE_EXTRA_CA_CERTS to a PEM file with the CA certificate that signed the certificate of the proxy or the endpoint.'
    WHEN dated.last_status = 'UNREACHABLE'
      AND dated.last_error_name = 'NotFromAws'
      THEN 'Make the proxy pass requests to the AWS hosts, or list the hosts in NO_PROXY. If you use a custom endpoint, check its URL. A proxy that decrypts TLS must keep the request id header of responses.'
    WHEN dated.last_status = 'UNREACHABLE'
      AND dated.last_error_name = 'ProxyAuthenticationRequired'
      THEN 'Add the user and password of the proxy to HTTPS_PROXY.'
    WHEN dated.last_status = 'UNREACHABLE'
      AND dated.last_error_name = 'ENOTFOUND'
      THEN 'DNS cannot resolve this host. Check the resolver and DNS firewalls. If AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT is set, check that the service has such an endpoint in this region. If it has none, leave the region out with --regions.'
    WHEN dated.last_status = 'ACCESS_DENIED'
      THEN 'Allow the role backup:ListCopyJobs and backup:ListCopyJobSummaries, and check for a service control policy that denies them in this region.'
    WHEN dated.last_status = 'ASSUME_ROLE_FAILED'
      THEN 'Create the role in this account (deploy/iam), let it trust the caller, allow the caller sts:AssumeRole on it, and check that --role-name and --external-id match the role.'
    WHEN dated.last_status = 'REGION_DISABLED'
      THEN 'Enable the region in this account, or leave it out of --regions.'
    WHEN dated.last_status = 'THROTTLED'
      THEN 'The next run tries again. If this keeps happening, lower --requests-per-second or --concurrency.'
    WHEN dated.last_status = 'TIMED_OUT'
      THEN 'The next run tries again. If this keeps happening, raise --target-timeout.'
    WHEN dated.last_status = 'UNREACHABLE'
      THEN 'The next run tries again. If this keeps happening, check DNS, routes, the proxy and VPC endpoints for AWS Backup in this region.'
    WHEN dated.last_status = 'INTERRUPTED'
      THEN 'The run was told to stop. The next run reads what is missing.'
    WHEN dated.last_status = 'SKIPPED'
      THEN 'The run reached its deadline first. The next run reads this target. If this keeps happening, fix the error of the last attempt. If none is shown, raise --deadline or --concurrency.'
    WHEN dated.last_status = 'PUBLISH_FAILED'
      THEN 'Nothing that was published is lost. Once the cause is fixed, the next run reads and publishes this target again.'
    WHEN dated.last_status = 'REJECTED_RECORDS'
      THEN 'Some records could not become rows. They are kept unchanged in the lake under _ledger/rejected. Report them, so that a newer version can read them.'
    ELSE 'The program does not know this error. Check the log lines of this account and region.'
  END AS remedy,
  dated.last_error_name,
  dated.last_error_message,
  dated.last_asked_time
FROM dated
CROSS JOIN lake_time
LEFT JOIN account_names ON account_names.account_id = dated.account_id
WHERE (dated.last_status <> 'REGION_DISABLED' OR dated.last_good_drain_time IS NOT NULL)
  AND date_diff('millisecond', dated.last_asked_time, lake_time.as_of) <= CAST(:days AS bigint) * 86400000
ORDER BY
  dated.first_loss_time ASC NULLS FIRST,
  dated.table_name ASC NULLS LAST,
  dated.account_id ASC NULLS LAST,
  dated.region ASC NULLS LAST
