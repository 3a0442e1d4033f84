// Arrays in the text that the server has for them.
#ifndef PENSTOCK_DRIVERS_POSTGRES_ARRAY_H_
#define PENSTOCK_DRIVERS_POSTGRES_ARRAY_H_

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/value.h"
#include "drivers/postgres/types.h"

namespace penstock::postgres {

// Holds what the values of an array borrow; a deque leaves its elements where they are.
struct ArrayStore {
  std::deque<std::string> texts;
  std::deque<std::vector<driver::Value>> lists;
};

// Reads {1,NULL,"a \"b\""}, {{1,2},{3,4}} and {"{1,2}"}, whose elements are of a domain over
// arrays and become lists as well. One with bounds of its own ("[2:3]={…}"), which have no place
// in a list, becomes a text. `value` borrows from `store` and `text`. False: no server writes an
// array of that type so, or it is not UTF-8.
bool ReadArray(const Type& type, std::string_view text, ArrayStore* store, driver::Value* value);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_ARRAY_H_
