// SPDX-License-Identifier: GPL-2.0-or-later
/* The runner's command line and the loop over the selected tests. */
#include "harness.h"

#include <getopt.h>
#include <time.h>

enum { EXIT_PASSED = 0, EXIT_FAILED = 1, EXIT_SKIPPED = 4, EXIT_USAGE = 64 };

struct options options = { .repeat = 1 };

static const char usage[] =
	"usage: PROGRAM [OPTION]...\n"
	"  --list               name, layer, behaviour ids and needs of each test\n"
	"  --run GLOB           only tests whose name matches (repeatable)\n"
	"  --subject ADAPTER    runtime tests, through this adapter\n"
	"  --rootfs DIR         the container's root, with --subject\n"
	"  --timeout SECONDS    limit of each test that declares no longer one (30)\n"
	"  --repeat N           run each test N times; all must pass\n"
	"  --shuffle[=SEED]     in random order\n"
	"  --must-run GLOB      these must not skip (repeatable)\n"
	"  --expect-skips FILE  exactly these skip: TEST-GLOB REASON-GLOB a line\n"
	"  --complete           what this kernel's version has is no reason to skip\n"
	"  --verbose            output and notes of passing tests as well\n"
	"exit status: 0 passed, 1 a failure or nothing ran, 4 all skipped, 64 usage\n";

static _Noreturn void bad_usage(const char *what, const char *value)
{
	fprintf(stderr, "selftest: cannot use %s \"%s\"\n%s", what, value, usage);
	exit(EXIT_USAGE);
}

static unsigned long number(const char *what, const char *value, unsigned long least)
{
	char *end;
	unsigned long result;

	errno = 0;
	result = strtoul(value, &end, 10);
	if (errno || *end || end == value || *value == '-' || result < least)
		bad_usage(what, value);
	return result;
}

static void add_glob(const char **globs, size_t *count, const char *glob)
{
	if (*count == sizeof(options.run) / sizeof(options.run[0]))
		bad_usage("so many globs:", glob);
	globs[(*count)++] = glob;
}

static const char *absolute(const char *what, const char *path)
{
	const char *full = realpath(path, NULL);

	if (!full)
		bad_usage(what, path);
	return full;
}

static void take_option(int option, const char *value)
{
	switch (option) {
	case 'l': options.list = true; break;
	case 'r': add_glob(options.run, &options.run_count, value); break;
	case 's': options.subject = absolute("--subject", value); break;
	case 'f': options.rootfs = absolute("--rootfs", value); break;
	case 't': options.timeout = number("--timeout", value, 1); break;
	case 'n': options.repeat = number("--repeat", value, 1); break;
	case 'm': add_glob(options.must_run, &options.must_run_count, value); break;
	case 'e': options.expect_skips = value; break;
	case 'c': options.complete = true; break;
	case 'v': options.verbose = true; break;
	case 'x':
		options.shuffle = true;
		options.seed = value ? number("--shuffle", value, 0) : (uint64_t)time(NULL);
		break;
	case 'h': fputs(usage, stdout); exit(EXIT_PASSED);
	default: fputs(usage, stderr); exit(EXIT_USAGE);
	}
}

static void read_options(int argc, char **argv)
{
	static const struct option table[] = {
		{ "list", no_argument, NULL, 'l' },
		{ "run", required_argument, NULL, 'r' },
		{ "subject", required_argument, NULL, 's' },
		{ "rootfs", required_argument, NULL, 'f' },
		{ "timeout", required_argument, NULL, 't' },
		{ "repeat", required_argument, NULL, 'n' },
		{ "shuffle", optional_argument, NULL, 'x' },
		{ "must-run", required_argument, NULL, 'm' },
		{ "expect-skips", required_argument, NULL, 'e' },
		{ "complete", no_argument, NULL, 'c' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1)
		take_option(option, optarg);
	if (optind < argc)
		bad_usage("argument", argv[optind]);
	if (options.subject && !options.rootfs && !options.list)
		bad_usage("--subject without --rootfs:", options.subject);
}

static void list_test(const struct test *test)
{
	bool first = true;

	printf("%s\t%s\t%s\t", test->name, layer_name(test->layer),
	       test->checks ? test->checks : "");
	for (unsigned i = 0; i < NEED_COUNT; i++)
		if (test->needs >> i & 1) {
			printf("%s%s", first ? "" : " ", need_name(i));
			first = false;
		}
	putchar('\n');
}

/* Fisher and Yates, with xorshift64 so that a seed means the same order everywhere. */
static void shuffle(struct test **tests, size_t count)
{
	uint64_t state = options.seed * 2 + 1;

	for (size_t i = count; i > 1; i--) {
		struct test *last = tests[i - 1];
		size_t pick;

		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		pick = state % i;
		tests[i - 1] = tests[pick];
		tests[pick] = last;
	}
}

static size_t keep_selected(struct test **tests, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (selected(tests[i]))
			tests[kept++] = tests[i];
	return kept;
}

static void explain(const char *indent, const struct test *test, const struct outcome *outcome)
{
	const char *output = output_text();
	char line[600];

	if (is_ok(outcome) && !options.verbose)
		return;
	ktap_diagnostics(indent, board->log);
	ktap_diagnostics(indent, output);
	if (outcome->verdict == FAIL && test->finding)
		snprintf(line, sizeof(line), "finding: %s", test->finding);
	else if (outcome->verdict == FAIL && test->says)
		snprintf(line, sizeof(line), "finding: it does not hold that %s", test->says);
	else
		return;
	ktap_diagnostics(indent, line);
}

/* All repetitions of one row; the first that is not ok decides. */
static struct outcome run_row(const char *indent, const struct test *test, size_t index)
{
	struct run run = { .test = test,
			   .row_index = index,
			   .row = (const char *)test->rows + index * test->row_size };
	struct outcome outcome = { .verdict = PASS };

	for (unsigned i = 0; i < options.repeat && outcome.verdict == PASS; i++)
		outcome = run_once(&run);
	explain(indent, test, &outcome);
	return outcome;
}

static struct outcome run_rows(const struct test *test)
{
	struct outcome all = { .verdict = SKIP };
	size_t bad = 0;

	ktap_plan("    ", test->name, test->row_count);
	for (size_t i = 0; i < test->row_count; i++) {
		const char *row = (const char *)test->rows + i * test->row_size;
		struct outcome one = run_row("    ", test, i);

		ktap_result("    ", i + 1, *(const char *const *)row, &one);
		bad += !is_ok(&one);
		if (one.verdict == PASS && all.verdict == SKIP)
			all = one;
		else if (!is_ok(&one) && is_ok(&all))
			all = one;
		else if (one.verdict == SKIP && all.verdict == SKIP)
			all = one;
	}
	if (bad)
		snprintf(all.why, sizeof(all.why), "%zu of %zu rows", bad, test->row_count);
	return all;
}

static struct outcome run_test(const struct test *test)
{
	struct outcome outcome = { .verdict = SKIP };

	if (options.subject && !subject.available) {
		snprintf(outcome.why, sizeof(outcome.why), "subject-absent (%s)", subject.reason);
		return outcome;
	}
	if (needs_absent(test->needs, &outcome))
		return outcome;
	return test->rows ? run_rows(test) : run_row("", test, 0);
}

static int run_all(struct test **tests, size_t count)
{
	size_t failed = 0, skipped = 0;

	ktap_plan("", NULL, count);
	if (options.shuffle)
		printf("# shuffle seed %llu\n", (unsigned long long)options.seed);
	if (options.subject)
		printf("# subject %s %s\n", subject.name, subject.version);
	for (size_t i = 0; i < count; i++) {
		struct outcome outcome = run_test(tests[i]);

		skips_judge(tests[i]->name, &outcome);
		ktap_result("", i + 1, tests[i]->name, &outcome);
		failed += !is_ok(&outcome);
		skipped += outcome.verdict == SKIP;
		if (run_interrupted()) {
			printf("Bail out! %s\n", strsignal(run_interrupted()));
			return 128 + run_interrupted();
		}
	}
	printf("# Totals: pass:%zu fail:%zu xfail:0 xpass:0 skip:%zu error:0\n",
	       count - failed - skipped, failed, skipped);
	if (failed || !count)
		return EXIT_FAILED;
	return skipped == count ? EXIT_SKIPPED : EXIT_PASSED;
}

static int run_on_stage(struct test **tests, size_t count)
{
	int result;

	skips_read();
	output_open();
	board_open();
	contain_open();
	stage_set();
	leaks_open();
	run_interruptible();
	if (options.subject)
		subject_prepare();
	result = run_all(tests, count);
	if (options.subject)
		subject_clear();
	stage_strike();
	contain_close();
	return result;
}

/*
 * A descriptor that the program was started without would become one of its files. For reading
 * only: results that nobody gets are an error.
 */
static void fill_standard_descriptors(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", O_RDONLY);
}

/* The status that the run deserves, if whoever asked for it got to know all of it. */
static int told_all(int result)
{
	if (!fflush(stdout) && !ferror(stdout))
		return result;
	fprintf(stderr, "selftest: cannot write all results to stdout\n");
	return result == EXIT_PASSED || result == EXIT_SKIPPED ? EXIT_FAILED : result;
}

int main(int argc, char **argv)
{
	struct test **tests;
	size_t count;

	if (argc > 1 && !strcmp(argv[1], "--inside"))
		inside_main(argc, argv);
	fill_standard_descriptors();
	setvbuf(stdout, NULL, _IOLBF, 0);
	read_options(argc, argv);
	tests = registry_sorted(&count);
	count = keep_selected(tests, count);
	if (options.list) {
		for (size_t i = 0; i < count; i++)
			list_test(tests[i]);
		return told_all(EXIT_PASSED);
	}
	if (options.shuffle)
		shuffle(tests, count);
	if (options.subject)
		subject_describe();
	return told_all(run_on_stage(tests, count));
}
