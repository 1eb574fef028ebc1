// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From the command line to the plan: what is asked for arrives, and what is not asked for
 * gets its default.
 */
#include "caller.h"

#include <linux/capability.h>

/* The plan that @line gives; every test that calls it relies on its being accepted. */
static const struct plan *accepted(enum verb verb, const char *line)
{
	ck_assert_int_eq(options_parse(verb, words(line), &plan), 0);
	return &plan;
}

static const struct plan *run(const char *line)
{
	return accepted(VERB_RUN, line);
}

static const char *env_of(const struct plan *p, const char *name)
{
	size_t n = strlen(name);
	const char *value = NULL;

	for (size_t i = 0; i < p->n_env; i++)
		if (strncmp(p->env[i], name, n) == 0 && p->env[i][n] == '=') {
			ck_assert_msg(!value, "%s is there twice", name);
			value = p->env[i] + n + 1;
		}
	return value;
}

/* --- Defaults --- */

START_TEST(defaults_of_root)
{
	const struct plan *p = run("sh -c x");

	ck_assert_str_eq(p->rootfs, "rootfs");
	ck_assert_uint_eq(p->n_layers, 0);
	ck_assert_ptr_null(p->upper);
	ck_assert_str_eq(p->hostname, "bulkhead");
	ck_assert_ptr_null(p->domainname);
	ck_assert_str_eq(p->workdir, "/");
	ck_assert_str_eq(p->argv[0], "sh");
	ck_assert_str_eq(p->argv[2], "x");
	ck_assert_uint_eq(p->namespaces, default_namespaces);
	ck_assert_uint_eq(p->caps, default_caps);
	ck_assert_uint_gt(p->n_filter, 50);
	ck_assert(!p->rootless && !p->stage_only && !p->read_only && !p->init && !p->tty);
	ck_assert(!p->clocks.asked && !plan_has_limits(p));
	ck_assert_uint_eq(p->uids.n + p->gids.n, 0);
	ck_assert_uint_eq(p->uid + p->gid, 0);
}
END_TEST

START_TEST(defaults_of_the_environment)
{
	const struct plan *p = run("true");

	ck_assert_uint_eq(p->n_env, 4);
	ck_assert_ptr_null(p->env[4]);
	ck_assert_str_eq(env_of(p, "PATH"), DEFAULT_PATH);
	ck_assert_str_eq(env_of(p, "HOME"), "/root");
	ck_assert_str_eq(env_of(p, "TERM"), "vt100");
	ck_assert_str_eq(env_of(p, "HOSTNAME"), "bulkhead");
}
END_TEST

START_TEST(a_user_gets_a_user_namespace)
{
	const struct plan *p;

	caller = USER;
	p = run("true");
	ck_assert(p->rootless);
	ck_assert_uint_eq(p->namespaces, default_namespaces | CLONE_NEWUSER);
	ck_assert_uint_eq(p->uids.n, 1);
	ck_assert_uint_eq(p->uids.line[0].host, USER);
	ck_assert_uint_eq(p->uids.line[0].count, 1);
	ck_assert_uint_eq(p->gids.n, 1);
	ck_assert_uint_eq(p->gids.line[0].host, getegid());
}
END_TEST

START_TEST(root_may_ask_for_a_user_namespace)
{
	const struct plan *p = run("--userns true");

	ck_assert(p->namespaces & CLONE_NEWUSER);
	ck_assert_uint_eq(p->uids.n, 1);
	ck_assert_uint_eq(p->uids.line[0].count, UINT32_MAX);
}
END_TEST

START_TEST(an_id_map_asks_for_a_user_namespace)
{
	const struct plan *p = run("--uid-map 0:100000:65536 true");

	ck_assert(p->namespaces & CLONE_NEWUSER);
	ck_assert_uint_eq(p->uids.line[0].host, 100000);
	ck_assert_uint_eq(p->gids.line[0].count, UINT32_MAX);
}
END_TEST

START_TEST(child_makes_no_namespaces)
{
	const struct plan *p = accepted(VERB_CHILD, "true");

	ck_assert(p->stage_only);
	ck_assert_uint_eq(p->namespaces & CLONE_NEWUSER, 0);
	ck_assert_ptr_null(p->hostname);
	ck_assert_ptr_null(env_of(p, "HOSTNAME"));
}
END_TEST

/* --- Every option arrives where it belongs --- */

START_TEST(takes_every_option)
{
	const struct plan *p =
		run("--rootfs r --layer a --layer=b --upper up// --read-only --hostname h "
		    "--domainname d --share net,ipc --timens 1,-2 --bind /s:/t:ro --bind=/u:/v "
		    "--tmpfs /w:size=1M --workdir /w --user 7:8 --memory 64M --pids 9 --cpus 0.5 "
		    "--init --tty -- --x");

	ck_assert_ptr_null(p->rootfs);
	ck_assert_uint_eq(p->n_layers, 3);
	ck_assert_str_eq(p->layers[0], "r");
	ck_assert_str_eq(p->layers[2], "b");
	ck_assert_str_eq(p->upper, "up");
	ck_assert_str_eq(p->hostname, "h");
	ck_assert_str_eq(p->domainname, "d");
	ck_assert_uint_eq(p->namespaces, default_namespaces & ~(CLONE_NEWNET | CLONE_NEWIPC));
	ck_assert_int_eq(p->clocks.monotonic, 1);
	ck_assert_int_eq(p->clocks.boottime, -2);
	ck_assert_uint_eq(p->n_binds, 2);
	ck_assert(p->binds[0].read_only && !p->binds[1].read_only);
	ck_assert_str_eq(p->binds[1].target, "/v");
	ck_assert_uint_eq(p->n_tmpfs, 1);
	ck_assert_str_eq(p->workdir, "/w");
	ck_assert_uint_eq(p->uid, 7);
	ck_assert_uint_eq(p->gid, 8);
	ck_assert_uint_eq(p->limits.memory, 64 << 20);
	ck_assert_uint_eq(p->limits.pids, 9);
	ck_assert_uint_eq(p->limits.cpu_quota_usec, 50000);
	ck_assert(p->read_only && p->init && p->tty && plan_has_limits(p));
	ck_assert_str_eq(p->argv[0], "--x");
}
END_TEST

START_TEST(stops_at_the_command)
{
	const struct plan *p = run("--read-only ls --tty -- -l");

	ck_assert(!p->tty);
	ck_assert_str_eq(p->argv[0], "ls");
	ck_assert_str_eq(p->argv[1], "--tty");
	ck_assert_str_eq(p->argv[2], "--");
}
END_TEST

START_TEST(a_dash_is_a_command)
{
	ck_assert_str_eq(run("-")->argv[0], "-");
}
END_TEST

START_TEST(an_option_may_look_like_a_value)
{
	ck_assert_str_eq(run("--rootfs --tty true")->rootfs, "--tty");
}
END_TEST

START_TEST(the_last_variable_of_a_name_wins)
{
	const struct plan *p = run("--env A=1 --env AB=2 --env A=3 --env PATH=/x --env A2=4 true");

	ck_assert_str_eq(env_of(p, "A"), "3");
	ck_assert_str_eq(env_of(p, "AB"), "2");
	ck_assert_str_eq(env_of(p, "PATH"), "/x");
	ck_assert_uint_eq(p->n_env, 4 + 3);
}
END_TEST

START_TEST(the_environment_follows_the_plan)
{
	const struct plan *p;

	unsetenv("TERM");
	p = run("--user 7 --hostname box --env HOMES=2 true");
	ck_assert_str_eq(env_of(p, "HOME"), "/");
	ck_assert_str_eq(env_of(p, "HOSTNAME"), "box");
	ck_assert_ptr_null(env_of(p, "TERM"));
	memset(&plan, 0, sizeof(plan));
	ck_assert_str_eq(env_of(run("--tty true"), "TERM"), "xterm");
}
END_TEST

static const struct {
	const char *line;
	uint64_t want;
} capability_sets[] = {
	{ "--cap-drop ALL x", 0 },
	{ "--cap-drop all --cap-add net_raw x", 1ULL << CAP_NET_RAW },
	{ "--cap-add net_raw --cap-drop all x", 0 },
	{ "--cap-add ALL x", (1ULL << (CAP_LAST_CAP + 1)) - 1 },
	{ "--cap-drop all --cap-add chown --cap-add kill x", 1ULL << CAP_CHOWN | 1ULL << CAP_KILL },
};

START_TEST(capabilities_are_taken_in_order)
{
	ck_assert_uint_eq(run(capability_sets[_i].line)->caps, capability_sets[_i].want);
}
END_TEST

START_TEST(the_filter_follows_the_capabilities)
{
	static struct sock_filter before[FILTER_ROOM];
	size_t n;

	n = run("--cap-drop CHOWN true")->n_filter;
	ck_assert_uint_le(n, FILTER_ROOM);
	memcpy(before, plan.filter, n * sizeof(*before));
	memset(&plan, 0, sizeof(plan));
	run("--cap-add SYS_ADMIN true");
	ck_assert_uint_eq(plan.n_filter, n);
	ck_assert_int_ne(memcmp(before, plan.filter, n * sizeof(*before)), 0);
	memset(&plan, 0, sizeof(plan));
	ck_assert_uint_lt(run("true")->n_filter, n); /* the default capabilities: see seccomp.h */
	memset(&plan, 0, sizeof(plan));
	ck_assert_uint_eq(run("--seccomp none true")->n_filter, 0);
}
END_TEST

START_TEST(a_filter_comes_from_a_file)
{
	char path[] = "/tmp/bulkhead-filter-XXXXXX", line[80];
	const struct sock_filter allow = { BPF_RET | BPF_K, 0, 0, 0x7fff0000 };
	int fd = mkstemp(path);

	ck_assert_int_eq(write(fd, &allow, sizeof(allow)), sizeof(allow));
	close(fd);
	snprintf(line, sizeof(line), "--seccomp %s true", path);
	run(line);
	unlink(path);
	ck_assert_uint_eq(plan.n_filter, 1);
	ck_assert_mem_eq(plan.filter, &allow, sizeof(allow));
}
END_TEST

START_TEST(an_upper_makes_the_rootfs_a_layer)
{
	const struct plan *p = run("--rootfs r --upper u true");

	ck_assert_ptr_null(p->rootfs);
	ck_assert_uint_eq(p->n_layers, 1);
	ck_assert_str_eq(p->layers[0], "r");
}
END_TEST

START_TEST(layers_need_no_rootfs)
{
	const struct plan *p = run("--layer a true");

	ck_assert_ptr_null(p->rootfs);
	ck_assert_uint_eq(p->n_layers, 1);
}
END_TEST

START_TEST(subordinate_ids_are_users_inside)
{
	caller = USER;
	subordinate_ids = 10;
	ck_assert_uint_eq(run("--user 10:10 true")->uid, 10);
}
END_TEST

START_TEST(help_is_no_error)
{
	ck_assert_int_eq(options_parse(VERB_RUN, words("--tty --help"), &plan), 1);
	ck_assert_int_eq(options_parse(VERB_RUN, words("-h"), &plan), 1);
	ck_assert_int_eq(options_parse(VERB_RUN, words("ls --help"), &plan), 0);
}
END_TEST

/* --- Many --- */

START_TEST(takes_thousands_of_binds)
{
	enum { COUNT = 5000 };
	static char *argv[2 * COUNT + 2];

	for (size_t i = 0; i < COUNT; i++) {
		argv[2 * i] = unit_copy("--bind");
		argv[2 * i + 1] = unit_copy("/a:/b");
	}
	argv[2 * COUNT] = unit_copy("true");
	ck_assert_int_eq(options_parse(VERB_RUN, argv, &plan), 0);
	ck_assert_uint_eq(plan.n_binds, COUNT);
	ck_assert_str_eq(plan.binds[COUNT - 1].target, "/b");
}
END_TEST

/* --- The table --- */

static void note_help(const char *name, void *help)
{
	char option[40];

	snprintf(option, sizeof(option), "  --%s ", name);
	ck_assert_msg(strstr(help, option), "--%s is not in the help", name);
}

START_TEST(the_help_has_every_option)
{
	char *help = NULL;
	size_t size;
	FILE *to = open_memstream(&help, &size);

	options_help(to);
	fclose(to);
	options_each_name(note_help, help);
	for (char *line = strtok(help, "\n"); line; line = strtok(NULL, "\n"))
		ck_assert_msg(strlen(line) <= 80, "too long: %s", line);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("options");
	TCase *options = tcase_create("options");

	tcase_add_checked_fixture(options, as_root, NULL);
	tcase_add_test(options, defaults_of_root);
	tcase_add_test(options, defaults_of_the_environment);
	tcase_add_test(options, a_user_gets_a_user_namespace);
	tcase_add_test(options, root_may_ask_for_a_user_namespace);
	tcase_add_test(options, an_id_map_asks_for_a_user_namespace);
	tcase_add_test(options, child_makes_no_namespaces);
	tcase_add_test(options, takes_every_option);
	tcase_add_test(options, stops_at_the_command);
	tcase_add_test(options, a_dash_is_a_command);
	tcase_add_test(options, an_option_may_look_like_a_value);
	tcase_add_test(options, the_last_variable_of_a_name_wins);
	tcase_add_test(options, the_environment_follows_the_plan);
	tcase_add_loop_test(options, capabilities_are_taken_in_order, 0,
			    ARRAY_SIZE(capability_sets));
	tcase_add_test(options, the_filter_follows_the_capabilities);
	tcase_add_test(options, a_filter_comes_from_a_file);
	tcase_add_test(options, an_upper_makes_the_rootfs_a_layer);
	tcase_add_test(options, layers_need_no_rootfs);
	tcase_add_test(options, subordinate_ids_are_users_inside);
	tcase_add_test(options, help_is_no_error);
	tcase_add_test(options, takes_thousands_of_binds);
	tcase_add_test(options, the_help_has_every_option);
	suite_add_tcase(suite, options);
	return suite;
}
