#include "tests/endurance/director.h"

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include "fmt/format.h"

namespace penstock::testing {

using std::chrono::milliseconds;

Director::Director(std::vector<Trouble> troubles, uint64_t seed, Watch* watch)
    : troubles_(std::move(troubles)), random_(seed), watch_(watch) {}

std::vector<const Trouble*> Director::Choose() {
  if (deck_.empty()) {
    for (const Trouble& each : troubles_) deck_.push_back(&each);
    std::shuffle(deck_.begin(), deck_.end(), random_);
  }
  const auto count = static_cast<size_t>(Between(&random_, 1, 3));
  std::vector<const Trouble*> chosen;
  std::set<std::string> groups;
  while (chosen.size() < count && !deck_.empty() && groups.insert(deck_.back()->group).second) {
    chosen.push_back(deck_.back());
    deck_.pop_back();
  }
  return chosen;
}

void Director::Round() {
  std::vector<std::pair<const Trouble*, std::function<void()>>> going_on;
  for (const Trouble* each : Choose()) {
    Note(each->name);
    if (each->silences) watch_->Silence();
    going_on.emplace_back(each, each->begin(&random_));
    // How long it lasts, alone and then together with the next.
    std::this_thread::sleep_for(milliseconds(Between(&random_, 50, 800)));
  }
  std::shuffle(going_on.begin(), going_on.end(), random_);
  // The daemon first hears again: a client of gRPC's ends no call before the other side reads,
  // whatever its deadline, and the hostile ones are waited for.
  std::stable_partition(going_on.begin(), going_on.end(),
                        [](const auto& each) { return each.first->silences; });
  for (auto& [each, end] : going_on) {
    end();
    Note(each->name + " is over");
  }
  for (const auto& [each, end] : going_on) {
    if (each->silences) watch_->Resume();
  }
}

void Director::Note(const std::string& what) {
  const auto since = std::chrono::steady_clock::now() - began_;
  history_.push_back(
      fmt::format("{:>8} {}", std::chrono::duration_cast<milliseconds>(since).count(), what));
  if (history_.size() > 60) history_.pop_front();
}

std::string Director::history() const {
  std::string text;
  for (const std::string& each : history_) text += each + "\n";
  return text;
}

}  // namespace penstock::testing
