// SPDX-License-Identifier: GPL-2.0-or-later
/* Command lines that are refused, each with one line that says what is wrong. */
#include "caller.h"

/* The one line that @argv is refused with. */
static const char *refused(enum verb verb, char **argv)
{
	const char *text;
	int ret;

	unit_capture_stderr();
	ret = options_parse(verb, argv, &plan);
	text = unit_captured();
	ck_assert_msg(ret == -1, "accepted");
	ck_assert_msg(strncmp(text, "bulkhead: cannot ", 17) == 0, "%s", text);
	ck_assert_msg(strchr(text, '\n') == text + strlen(text) - 1, "%s", text);
	return text;
}

static const struct {
	enum verb verb;
	uid_t caller;
	const char *line, *want;
} refusals[] = {
	{ VERB_RUN, 0, "", "there is no command" },
	{ VERB_RUN, 0, "--", "there is no command" },
	{ VERB_RUN, 0, "--tty", "there is no command" },
	{ VERB_RUN, 0, "--nonsense true", "the option \"--nonsense\": there is no such option" },
	{ VERB_RUN, 0, "--rootf r true", "no such option" },
	{ VERB_RUN, 0, "--rootfsx=r true", "no such option" },
	{ VERB_RUN, 0, "--=r true", "no such option" },
	{ VERB_RUN, 0, "-x true", "options are long ones" },
	{ VERB_RUN, 0, "--rootfs", "\"--rootfs\": its value is missing" },
	{ VERB_RUN, 0, "--tty=yes true", "--tty \"yes\": it takes no value" },
	{ VERB_RUN, 0, "--tty= true", "it takes no value" },
	{ VERB_RUN, 0, "--rootfs= true", "a path is not empty" },
	{ VERB_RUN, 0, "--layer= true", "a path is not empty" },
	{ VERB_RUN, 0, "--upper= true", "a path is not empty" },
	{ VERB_RUN, 0, "--seccomp= true", "a path is not empty" },
	{ VERB_RUN, 0, "--workdir x true", "not an absolute path" },
	{ VERB_RUN, 0, "--memory 12x true", "--memory \"12x\": not a size" },
	{ VERB_RUN, 0, "--pids 0 true", "out of range" },
	{ VERB_RUN, 0, "--pids 4194305 true", "out of range" },
	{ VERB_RUN, 0, "--cpus 0 true", "too few" },
	{ VERB_RUN, 0, "--user 7: true", "not UID" },
	{ VERB_RUN, 0, "--bind /a true", "not SRC:DST" },
	{ VERB_RUN, 0, "--tmpfs a true", "absolute" },
	{ VERB_RUN, 0, "--env A true", "NAME=VALUE" },
	{ VERB_RUN, 0, "--timens 1 true", "two offsets" },
	{ VERB_RUN, 0, "--uid-map 0:0 true", "not INSIDE" },
	{ VERB_RUN, 0, "--gid-map 0:0:0 true", "out of range" },
	{ VERB_RUN, 0, "--cap-add NO true", "no such capability" },
	{ VERB_RUN, 0, "--cap-drop NO true", "no such capability" },
	{ VERB_RUN, 0, "--domainname a/b true", "letters" },
	{ VERB_RUN, 0, "--share mnt true", "mount namespace" },
	{ VERB_RUN, 0, "--share time true", "--timens" },
	{ VERB_RUN, 0, "--share x true", "not a list of namespaces" },
	{ VERB_RUN, 0, "--share user --userns true", "contradicts" },
	{ VERB_RUN, 0, "--share user --uid-map 0:0:1 true", "contradicts" },
	{ VERB_RUN, USER, "--share user true", "only root can do without" },
	{ VERB_RUN, 0, "--share uts --hostname h true", "use --hostname \"h\"" },
	{ VERB_RUN, 0, "--share uts --domainname d true", "use --domainname \"d\"" },
	{ VERB_RUN, 0, "--uid-map 1:1:1 true", "id map without" },
	{ VERB_RUN, 0, "--gid-map 1:1:1 true", "id map without" },
	{ VERB_RUN, 0, "--userns --uid-map 0:0:5 --user 5 true", "\"5:0\": the user is not in" },
	{ VERB_RUN, USER, "--user 1:0 true", "\"1:0\": the user is not in" },
	{ VERB_RUN, USER, "--user 0:1 true", "\"0:1\": the group is not in" },
	{ VERB_RUN, 0, "--seccomp /no/such true", "\"/no/such\": No such file" },
	{ VERB_RUN, 0, "--seccomp / true", "\"/\": Is a directory" },
	{ VERB_RUN, 0, "--seccomp /dev/null true", "not an array of BPF" },
	{ VERB_RUN, 0, "--seccomp /dev/zero true", "not an array of BPF" },
	{ VERB_CHILD, 0, "--userns true", "`child` makes no namespaces" },
	{ VERB_CHILD, 0, "--memory 64M true", "`child` makes no namespaces or cgroups" },
	{ VERB_CHILD, 0, "--timens 0,0 true", "`child` makes no" },
	{ VERB_CHILD, 0, "--tty true", "`child` makes no" },
	{ VERB_CHILD, 0, "", "there is no command" },
};

START_TEST(refuses)
{
	const char *text;

	caller = refusals[_i].caller;
	text = refused(refusals[_i].verb, words(refusals[_i].line));
	ck_assert_msg(strstr(text, refusals[_i].want), "\"%s\": \"%s\" is not in: %s",
		      refusals[_i].line, refusals[_i].want, text);
}
END_TEST

START_TEST(refuses_too_many_layers)
{
	char *argv[2 * 481 + 2];
	size_t n = 0;

	while (n < 2 * 481) {
		argv[n++] = unit_copy("--layer");
		argv[n++] = unit_copy("x");
	}
	argv[n++] = unit_copy("true");
	argv[n] = NULL;
	ck_assert_ptr_nonnull(strstr(refused(VERB_RUN, argv), "too many layers"));
}
END_TEST

/* A value must not forge a second line, nor fill the screen. */
START_TEST(quotes_and_cuts_the_value)
{
	char *fake[] = { unit_copy("--hostname"), unit_copy("a\nbulkhead: fine\x1b[2J"), NULL };
	char *long_[] = { unit_copy("--hostname"), unit_repeat('\x01', 5000), NULL };

	ck_assert_ptr_nonnull(strstr(refused(VERB_RUN, fake), "\"a\\x0abulkhead: fine\\x1b[2J\""));
	ck_assert_uint_lt(strlen(refused(VERB_RUN, long_)), 300);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("refusals");
	TCase *refusal = tcase_create("refusals");

	tcase_add_checked_fixture(refusal, as_root, NULL);
	tcase_add_loop_test(refusal, refuses, 0, ARRAY_SIZE(refusals));
	tcase_add_test(refusal, refuses_too_many_layers);
	tcase_add_test(refusal, quotes_and_cuts_the_value);
	suite_add_tcase(suite, refusal);
	return suite;
}
