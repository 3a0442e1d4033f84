#include "server/metrics_text.h"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"

namespace penstock::server {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// The upper-case names of gRPC's status codes, by number.
constexpr const char* kCodeNames[kStatusCodes] = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

class Families {
 public:
  void Counter(const std::string& name, const std::string& help, Labels labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.counter.value = value;
    Add(name, help, MetricType::Counter, std::move(metric));
  }

  void Gauge(const std::string& name, const std::string& help, Labels labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.gauge.value = value;
    Add(name, help, MetricType::Gauge, std::move(metric));
  }

  template <size_t N>
  void Distribution(const char* name, const char* help, Labels labels,
                    const Histogram<N>& histogram) {
    ClientMetric metric;
    metric.label = std::move(labels);
    uint64_t cumulative = 0;
    for (size_t i = 0; i < N; ++i) {
      cumulative += static_cast<uint64_t>(histogram.bucket(i));
      metric.histogram.bucket.push_back({cumulative, histogram.bounds()[i]});
    }
    metric.histogram.sample_count = cumulative + static_cast<uint64_t>(histogram.bucket(N));
    metric.histogram.sample_sum = histogram.sum();
    Add(name, help, MetricType::Histogram, std::move(metric));
  }

  std::string Text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  void Add(const std::string& name, const std::string& help, MetricType type, ClientMetric metric) {
    for (MetricFamily& family : families_) {
      if (family.name == name) {
        family.metric.push_back(std::move(metric));
        return;
      }
    }
    families_.push_back({name, help, type, {std::move(metric)}});
  }

  std::vector<MetricFamily> families_;
};

void AddPool(Families& out, const std::string& database, const std::string& pool,
             const PoolStats& stats) {
  const Labels labels = {{"database", database}, {"pool", pool}};
  out.Gauge("penstock_pool_max_open", "The maximum number of connections in the pool.", labels,
            stats.max_open);
  out.Gauge("penstock_pool_open", "Connections that are open.", labels, stats.open);
  out.Gauge("penstock_pool_in_use", "Connections that are in use.", labels, stats.in_use);
  out.Gauge("penstock_pool_idle", "Connections that are idle.", labels, stats.idle);
  out.Gauge("penstock_pool_waiting", "Statements and transactions that wait for a connection.",
            labels, stats.waiting);
  out.Counter("penstock_pool_waits_total", "Callers that had to wait for a connection.", labels,
              static_cast<double>(stats.wait_count));
  out.Counter("penstock_pool_wait_seconds_total", "Time spent waiting for a connection.", labels,
              std::chrono::duration<double>(stats.wait_duration).count());
  const auto count = [&](const char* name, const char* help, int64_t value) {
    out.Counter(name, help, labels, static_cast<double>(value));
  };
  count("penstock_pool_max_idle_closed_total",
        "Connections closed because max_idle_connections were already idle.",
        stats.max_idle_closed);
  count("penstock_pool_max_idle_time_closed_total", "Connections closed for being idle for long.",
        stats.max_idle_time_closed);
  count("penstock_pool_max_lifetime_closed_total", "Connections closed for their age.",
        stats.max_lifetime_closed);
  count("penstock_pool_broken_closed_total",
        "Connections closed because the link was lost or the session could not be made clean.",
        stats.broken_closed);
  count("penstock_pool_connects_total", "Attempts to connect.", stats.connect_count);
  count("penstock_pool_connect_failures_total", "Attempts to connect that failed.",
        stats.connect_failures);
  out.Gauge("penstock_pool_backing_off",
            "1 from a failed attempt to connect to the next success, else 0.", labels,
            stats.backing_off ? 1 : 0);
  out.Gauge("penstock_pool_stuck_calls",
            "Calls into the driver that continue although nobody waits for them any more.", labels,
            stats.stuck);
  count("penstock_pool_stuck_calls_total", "Calls that have been stuck.", stats.stuck_total);
}

void AddProblems(Families& out, const Database& database) {
  const auto with = [&](const std::string& kind) {
    return Labels{{"database", database.name()}, {"problem", kind}};
  };
  for (const driver::Problem& problem : database.Problems()) {
    out.Gauge("penstock_database_problem",
              "1 while the database has a problem of this kind; /readyz says more.",
              with(problem.kind), 1);
  }
  for (const auto& [kind, count] : database.ProblemCounts()) {
    out.Counter("penstock_database_problems_total", "Problems that have begun, by kind.",
                with(kind), static_cast<double>(count));
  }
}

void AddDriver(Families& out, const Database& database) {
  for (driver::Metric& metric : database.DriverMetrics()) {
    Labels labels = {{"database", database.name()}};
    for (auto& [name, value] : metric.labels) labels.push_back({name, std::move(value)});
    if (metric.kind == driver::Metric::Kind::kCounter) {
      out.Counter(metric.name, metric.help, std::move(labels), metric.value);
    } else {
      out.Gauge(metric.name, metric.help, std::move(labels), metric.value);
    }
  }
}

void AddDatabase(Families& out, Database& database) {
  const Labels labels = {{"database", database.name()}};
  const auto with = [&](const char* key, const char* value) {
    return Labels{{"database", database.name()}, {key, value}};
  };
  const DatabaseMetrics& metrics = database.metrics();
  for (size_t code = 0; code < kStatusCodes; ++code) {
    const int64_t count = metrics.statements[code].value();
    if (count == 0 && code != 0) continue;
    out.Counter("penstock_statements_total", "Statements that ended, by status code.",
                with("code", kCodeNames[code]), static_cast<double>(count));
  }
  out.Distribution("penstock_statement_seconds",
                   "From the arrival of a request to the end of its statement.", labels,
                   metrics.statement_seconds);
  out.Counter("penstock_rows_returned_total", "Rows returned by statements.", labels,
              static_cast<double>(metrics.rows_returned.value()));
  out.Counter("penstock_rows_affected_total", "Rows inserted, updated or deleted.", labels,
              static_cast<double>(metrics.rows_affected.value()));
  out.Gauge("penstock_transactions_open", "Transactions that are open.", labels,
            static_cast<double>(metrics.open_transactions.value()));
  const char* help = "Transactions that ended, by conclusion.";
  out.Counter("penstock_transactions_total", help, with("conclusion", "committed"),
              static_cast<double>(metrics.transactions_committed.value()));
  out.Counter("penstock_transactions_total", help, with("conclusion", "rolled_back"),
              static_cast<double>(metrics.transactions_rolled_back.value()));
  out.Counter("penstock_transactions_total", help, with("conclusion", "killed"),
              static_cast<double>(metrics.transactions_killed.value()));
  out.Distribution("penstock_batch_statements", "Statements that shared a batch, by lane.",
                   with("lane", "write"), metrics.write_batches.sizes);
  out.Distribution("penstock_batch_statements", "Statements that shared a batch, by lane.",
                   with("lane", "read"), metrics.read_batches.sizes);
  for (const auto& [pool, stats] : database.Stats()) AddPool(out, database.name(), pool, stats);
  AddProblems(out, database);
  AddDriver(out, database);
}

void AddIdentity(Families& out, const Quota& quota) {
  const auto with = [&](const char* key, std::string value) {
    return Labels{{"identity", quota.name()}, {key, std::move(value)}};
  };
  for (size_t code = 0; code < kStatusCodes; ++code) {
    const int64_t count = quota.calls_ended(code);
    if (count == 0 && code != 0) continue;
    out.Counter("penstock_identity_calls_total",
                "Calls and streams that ended, by identity and status code.",
                with("code", kCodeNames[code]), static_cast<double>(count));
  }
  out.Gauge("penstock_identity_calls_open", "Calls and streams of an identity in flight.",
            {{"identity", quota.name()}}, quota.calls());
  for (size_t i = 0; i < Quota::kLimits; ++i) {
    const auto limit = static_cast<Quota::Limit>(i);
    out.Counter("penstock_identity_limit_exceeded_total",
                "Calls and results that exceeded a limit of their identity, by limit.",
                with("limit", std::string(LimitName(limit))),
                static_cast<double>(quota.exceeded(limit)));
  }
}

void AddFilesProblem(Families& out, const char* files, bool has_problem) {
  out.Gauge("penstock_credential_files_problem",
            "1 while files cannot be used, so that their last good content goes on; the log says "
            "why.",
            {{"files", files}}, has_problem ? 1 : 0);
}

void AddAuthenticator(Families& out, const Authenticator& authenticator) {
  for (const auto& quota : authenticator.quotas()) AddIdentity(out, *quota);
  if (const std::optional<bool> has_problem = authenticator.key_set_has_problem()) {
    AddFilesProblem(out, "jwks_file", *has_problem);
  }
}

void AddCertificates(Families& out, const Certificates& certificates) {
  const std::shared_ptr<const TlsFiles> files = certificates.Latest();
  const auto expires = [&](const char* file, TlsFiles::Time time) {
    out.Gauge("penstock_tls_certificate_expiry_timestamp_seconds",
              "When the first certificate of a file expires, in seconds since 1970.",
              {{"file", file}}, std::chrono::duration<double>(time.time_since_epoch()).count());
  };
  expires("cert_file", files->certificate_expires);
  if (!files->authority.empty()) expires("client_ca_file", files->authority_expires);
  AddFilesProblem(out, "tls", certificates.has_problem());
}

}  // namespace

std::string MetricsText(const ServerMetrics& server, const Databases& databases,
                        const Authenticator* authenticator, const Certificates* certificates) {
  Families out;
  for (size_t rpc = 0; rpc < kRpcs; ++rpc) {
    for (size_t code = 0; code < kStatusCodes; ++code) {
      const int64_t count = server.calls[rpc][code].value();
      if (count == 0 && code != 0) continue;
      out.Counter("penstock_calls_total",
                  "Calls and streams that ended, by method and status code.",
                  {{"rpc", std::string(kRpcNames[rpc])}, {"code", kCodeNames[code]}},
                  static_cast<double>(count));
    }
  }
  out.Gauge("penstock_sessions_open", "Streaming calls that are open.", {},
            static_cast<double>(server.open_sessions.value()));
  out.Counter("penstock_sessions_refused_total", "Calls refused because of max_sessions.", {},
              static_cast<double>(server.sessions_refused.value()));
  out.Counter("penstock_calls_refused_total",
              "Calls, and requests for metrics, without the credentials that they need.", {},
              static_cast<double>(server.calls_refused.value()));
  out.Counter("penstock_calls_throttled_total",
              "Calls with wrong credentials that were not told why: their address fails too often.",
              {}, static_cast<double>(server.calls_throttled.value()));
  if (authenticator != nullptr) AddAuthenticator(out, *authenticator);
  if (certificates != nullptr) AddCertificates(out, *certificates);
  out.Counter("penstock_stalled_streams_total",
              "Streams, and results of a Pipeline, cut off because of stall_timeout.", {},
              static_cast<double>(server.stalled_streams.value()));
  out.Gauge("penstock_pipeline_calls_open", "Calls of Pipeline streams that are not answered.", {},
            static_cast<double>(server.pipeline_calls.value()));
  out.Gauge("penstock_pipeline_bytes",
            "Bytes that Pipeline streams hold: requests, statements, and answers not taken.", {},
            static_cast<double>(server.pipeline_bytes.value()));
  out.Distribution("penstock_pipeline_message_calls",
                   "Calls that came in one message of a Pipeline stream.", {},
                   server.pipeline_message_calls);
  const auto damaged = [&out](const std::string& name, double value) {
    out.Gauge("penstock_database_damaged",
              "1 if the database was not opened because its data is damaged, else 0.",
              {{"database", name}}, value);
  };
  for (const auto& [name, database] : databases.all()) damaged(name, 0);
  for (const auto& [name, why] : databases.damaged()) damaged(name, 1);
  for (const auto& [name, database] : databases.all()) AddDatabase(out, *database);
  return out.Text();
}

}  // namespace penstock::server
