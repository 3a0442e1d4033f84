#include "tests/support/migrate.h"

#include <algorithm>
#include <cctype>

#include "tests/support/wire.h"

namespace penstock::testing {
namespace {

template <typename Message>
void AddFiles(const MigrationFiles& files, Message* to) {
  for (const auto& [name, content] : files) {
    v1::MigrationFile* file = to->add_files();
    file->set_name(name);
    file->set_content(content);
  }
}

}  // namespace

std::string Migrated::plan() const {
  std::string plan;
  for (const v1::MigrateResponse& event : events) {
    for (const v1::MigrationStep& step : event.plan().steps()) {
      plan += (plan.empty() ? "" : " ") + step.file();
    }
  }
  return plan;
}

int Migrated::done() const {
  return static_cast<int>(
      std::count_if(events.begin(), events.end(),
                    [](const v1::MigrateResponse& event) { return event.step().done(); }));
}

Migrated MigrationWire::Migrate(MigrateStart start, const MigrationFiles& files,
                                const std::function<bool(const v1::MigrateResponse&)>& on_event) {
  grpc::ClientContext context;
  auto stream = stub_->Migrate(&context);
  AddFiles(files, &start);
  v1::MigrateRequest request;
  *request.mutable_start() = std::move(start);
  stream->Write(request);
  stream->WritesDone();
  Migrated migrated;
  for (v1::MigrateResponse event; stream->Read(&event);) {
    migrated.events.push_back(event);
    if (on_event && !on_event(event)) context.TryCancel();
  }
  migrated.status = stream->Finish();
  migrated.detail = DetailOf(migrated.status);
  return migrated;
}

Migrated MigrationWire::Down(const MigrationFiles& files, int64_t steps) {
  MigrateStart start;
  start.mutable_down()->set_steps(steps);
  return Migrate(start, files);
}

std::string MigrationWire::Status(const MigrationFiles& files) {
  v1::GetStatusRequest request;
  AddFiles(files, &request);
  return Status(request);
}

std::string MigrationWire::Status(const v1::GetStatusRequest& request) {
  grpc::ClientContext context;
  v1::GetStatusResponse response;
  const grpc::Status status = stub_->GetStatus(&context, request, &response);
  if (!status.ok()) return "error: " + status.error_message();
  std::string text;
  for (const v1::MigrationStatus& migration : response.migrations()) {
    std::string state = v1::MigrationStatus::State_Name(migration.state()).substr(6);
    std::transform(state.begin(), state.end(), state.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    text += (text.empty() ? "" : ", ") + std::to_string(migration.version()) + " " + state;
  }
  return text;
}

}  // namespace penstock::testing
