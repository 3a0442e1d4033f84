// What --help says besides the options.
#ifndef PENSTOCK_CLIENT_CLI_HELP_TEXT_H_
#define PENSTOCK_CLIENT_CLI_HELP_TEXT_H_

namespace penstock::cli {

// Above the options.
inline constexpr char kDescription[] =
    "Runs SQL through a Penstock daemon.\n\n"
    "  penstock query 'select 1'\n"
    "  penstock query 'select name from users where age > $1' 18 --format csv\n"
    "  penstock exec 'insert into users(name) values($1)' Ada\n"
    "  penstock migrate up ./migrations\n"
    "  penstock gen --output tables.h\n";

// What --help says below the options: how words, formats and exit codes are meant.
inline constexpr char kFooter[] =
    R"(Arguments fill the parameters $1, $2, … of the statement. One that is a 64-bit
integer in the form in which integers are printed is an integer (42, -7, 0). Any
other is text, byte for byte: 007, -0, +5, 1.5, 1e5, true, null, [1,2] and the
empty one. A prefix says the kind outright:
  int:42  real:1.5  bool:true  text:42  decimal:12.50  json:{"a":1}
  blob:c0ffee (hexadecimal)  null:
Whatever follows text: is text, so "text:$x" is any text. A real is the nearest
double; one beyond its range is refused, and Infinity and NaN are written out.
A statement, argument, key or value that begins with a dash and a letter follows
`--`, behind which nothing is an option. In `kv` nothing but blob: has a meaning,
and the value -; with --raw not even these.

Formats:
  table  for people. NULL is NULL, and the text 'NULL' has quotes; a blob is \x and
         hexadecimal digits; control characters are spelled out (\n, \u{1b}).
  csv    RFC 4180 with a header, as PostgreSQL's COPY … CSV writes and reads it: NULL
         is an empty field without quotes, empty text is "". In a result of one
         column NULL is \N, as readers skip empty lines: COPY … CSV NULL '\N'. --null
         says another word. A blob is \x and hexadecimal digits. Text that would read
         as one of these has quotes.
  json   an array with an object a row. Decimals, times and the like are strings. A
         blob is {"base64": "…"}; NaN and infinities are {"real": "NaN"}. A column
         name that occurs again gets _2, _3, ….
  kv     writes keys and values that are not text as `kv` reads them, blob:ff, in csv
         and json; and a text that begins with blob:, or is -, too.

Exit codes:
  0  it worked
  1  the statement or migration failed, a migration's file cannot be read as one, or a
     result could not be written
  2  the command line is wrong, or standard input or the file of gen --check cannot be
     read; nothing was sent
  3  the daemon or its database could not be reached
  4  migrate status: there are migrations to be applied
  5  migrate: files and history do not agree, a migration has to be repaired or cannot be
     taken back, or the database is not empty and has no history
     gen --check: the file is not what the database has)";

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_HELP_TEXT_H_
