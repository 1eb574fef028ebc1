// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The compact program. Installing a filter costs time for each of its instructions, and
 * since 5.11 the kernel also runs it once for every call number; libseccomp compares with
 * each call of the policy in turn (400 instructions, 305 us; its own tree: 500, 86 us). Here
 * runs of numbers with one verdict become ranges, the ranges a search with the fewest
 * comparisons, and the calls judged by arguments keep libseccomp's own code, without what
 * compares nothing (109 instructions, 42 us; for the default capabilities 82, 35 us).
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../cbpf.h"
#include "mkfilter.h"

#define LABELS     2048
#define RANGES     256
#define CANDIDATES (2 * BPF_MAXINSNS + 1)

/* Call numbers from `first` up to the next range's first, and where their verdict is. */
struct range {
	uint32_t first;
	int label;
	size_t tail; /* where in the reference the arguments are judged; 0: they are not */
};

/* The program being written: jumps name labels until every label has its place. */
struct writer {
	struct program *out;
	int on_true[BPF_MAXINSNS];
	int on_false[BPF_MAXINSNS];
	size_t place[LABELS];
	int labels;
	struct {
		uint32_t verdict;
		int label;
	} verdicts[64];
	size_t verdict_count;
};

static int new_label(struct writer *w)
{
	if (w->labels == LABELS)
		die("the filter has too many jumps");
	return w->labels++;
}

static void place_label(struct writer *w, int label)
{
	w->place[label] = w->out->count;
}

static size_t emit(struct writer *w, uint16_t code, uint32_t k)
{
	if (w->out->count == ARRAY_SIZE(w->out->in))
		die("the filter is too long");
	w->out->in[w->out->count] = (struct sock_filter){ code, 0, 0, k };
	return w->out->count++;
}

static size_t emit_jump(struct writer *w, uint16_t op, uint32_t k, int on_true, int on_false)
{
	size_t at = emit(w, BPF_JMP | op | BPF_K, k);

	w->on_true[at] = on_true;
	w->on_false[at] = on_false;
	return at;
}

/* The label of the one instruction that returns VERDICT. */
static int verdict_label(struct writer *w, uint32_t verdict)
{
	size_t i = 0;

	while (i < w->verdict_count && w->verdicts[i].verdict != verdict)
		i++;
	if (i == ARRAY_SIZE(w->verdicts))
		die("the policy has too many verdicts");
	if (i == w->verdict_count) {
		w->verdicts[i].verdict = verdict;
		w->verdicts[i].label = new_label(w);
		w->verdict_count++;
	}
	return w->verdicts[i].label;
}

static uint8_t distance(const struct writer *w, size_t from, int label)
{
	size_t to = w->place[label];

	if (to <= from || to - from - 1 > UINT8_MAX)
		die("a jump from %zu to %zu is too long for BPF's eight bits", from, to);
	return (uint8_t)(to - from - 1);
}

/* Appends the verdicts and turns labels into distances. */
static void finish(struct writer *w)
{
	for (size_t i = 0; i < w->verdict_count; i++) {
		place_label(w, w->verdicts[i].label);
		emit(w, BPF_RET | BPF_K, w->verdicts[i].verdict);
	}
	for (size_t at = 0; at < w->out->count; at++) {
		if (BPF_CLASS(w->out->in[at].code) != BPF_JMP)
			continue;
		w->out->in[at].jt = distance(w, at, w->on_true[at]);
		w->out->in[at].jf = distance(w, at, w->on_false[at]);
	}
}

/*
 * Follows the reference for call NR as far as number and architecture decide. Returns the
 * place of the verdict, or of the first load of an argument.
 */
static size_t follow(const struct target *target, uint32_t nr)
{
	const struct program *ref = &target->reference;
	uint32_t a = 0;
	size_t pc = 0;

	while (BPF_CLASS(ref->in[pc].code) != BPF_RET) {
		const struct sock_filter *in = &ref->in[pc++];

		if (in->code == (BPF_LD | BPF_W | BPF_ABS)) {
			if (in->k >= offsetof(struct seccomp_data, instruction_pointer))
				return pc - 1;
			a = in->k == offsetof(struct seccomp_data, nr) ? nr : target->token;
		} else if (in->code == (BPF_JMP | BPF_JA)) {
			pc += in->k;
		} else if (BPF_CLASS(in->code) == BPF_JMP && BPF_OP(in->code) != BPF_JSET) {
			pc += cbpf_taken(in, a) ? in->jt : in->jf;
		} else {
			die("libseccomp computes with call numbers, which is not foreseen");
		}
	}
	return pc;
}

/*
 * A mask of no bits, as libseccomp writes it for the upper half of an argument whose lower
 * half alone is compared: load, and, compare with 0. True wherever it stands.
 */
static bool compares_nothing(const struct sock_filter *in)
{
	return in[0].code == (BPF_LD | BPF_W | BPF_ABS) &&
	       in[1].code == (BPF_ALU | BPF_AND | BPF_K) && in[1].k == 0 &&
	       in[2].code == (BPF_JMP | BPF_JEQ | BPF_K) && in[2].k == 0;
}

/* Where the reference's AT leads without a decision. */
static size_t pass_over(const struct program *ref, size_t at)
{
	for (;;) {
		const struct sock_filter *in = &ref->in[at];

		if (in->code == (BPF_JMP | BPF_JA)) {
			at += 1 + in->k;
		} else if (at + 3 < ref->count && compares_nothing(in)) {
			at += 3 + in[2].jt;
			if (BPF_CLASS(ref->in[at].code) != BPF_LD &&
			    BPF_CLASS(ref->in[at].code) != BPF_RET)
				die("libseccomp uses a word again, which is not foreseen");
		} else {
			return at;
		}
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The verdict can change only at a number that the reference compares with, or one above. */
static size_t find_candidates(const struct program *ref, uint32_t *out)
{
	size_t count = 0;

	out[count++] = 0;
	for (size_t pc = 0; pc < ref->count; pc++) {
		if (BPF_CLASS(ref->in[pc].code) != BPF_JMP)
			continue;
		out[count++] = ref->in[pc].k;
		out[count++] = ref->in[pc].k + 1;
	}
	qsort(out, count, sizeof(*out), by_value);
	return count;
}

/* Splits the call numbers, all 2^32, into RANGES; returns how many. */
static size_t find_ranges(struct writer *w, const struct target *target, struct range *ranges)
{
	static uint32_t numbers[CANDIDATES];
	const struct program *ref = &target->reference;
	size_t count = 0, total = find_candidates(ref, numbers);

	for (size_t i = 0; i < total; i++) {
		size_t at = follow(target, numbers[i]);
		bool judged = BPF_CLASS(ref->in[at].code) != BPF_RET;
		int label = judged ? new_label(w) : verdict_label(w, settle(target, ref->in[at].k));
		struct range range = { numbers[i], label, judged ? pass_over(ref, at) : 0 };

		if (i > 0 && numbers[i] == numbers[i - 1])
			continue;
		if (count > 0 && ranges[count - 1].label == label)
			continue;
		if (count == RANGES)
			die("the policy has too many ranges of numbers");
		ranges[count++] = range;
	}
	return count;
}

/* The best way to search ranges FIRST to LAST: */
struct search {
	size_t nodes; /* comparisons in all */
	size_t depth; /* comparisons at most until one is found */
	size_t split; /* the range from which on numbers are the greater ones; 0: odd_ones() */
};

/* Every other one of the ranges is a single number amid numbers of one and the same verdict. */
static bool odd_ones(const struct range *ranges, size_t first, size_t last)
{
	for (size_t i = first; i < last; i += 2)
		if (i + 2 > last || ranges[i + 2].label != ranges[first].label ||
		    ranges[i + 2].first - ranges[i + 1].first != 1)
			return false;
	return true;
}

static bool is_better(const struct search *a, const struct search *b)
{
	return a->nodes < b->nodes || (a->nodes == b->nodes && a->depth < b->depth);
}

static void plan_one(const struct range *ranges, struct search plan[RANGES][RANGES], size_t first,
		     size_t last)
{
	struct search best = { SIZE_MAX, 0, 0 };

	if (odd_ones(ranges, first, last))
		best.nodes = best.depth = (last - first) / 2;
	for (size_t split = first + 1; split <= last; split++) {
		const struct search *low = &plan[first][split - 1], *high = &plan[split][last];
		size_t deeper = low->depth > high->depth ? low->depth : high->depth;
		const struct search way = { low->nodes + high->nodes + 1, deeper + 1, split };

		if (is_better(&way, &best))
			best = way;
	}
	plan[first][last] = best;
}

static void plan_search(const struct range *ranges, struct search plan[RANGES][RANGES],
			size_t count)
{
	for (size_t more = 0; more < count; more++)
		for (size_t first = 0; first + more < count; first++)
			plan_one(ranges, plan, first, first + more);
}

static void write_odd_ones(struct writer *w, const struct range *ranges, size_t first, size_t last)
{
	int next = ranges[first].label;

	for (size_t one = first + 1; one < last; one += 2) {
		if (one > first + 1)
			place_label(w, next);
		next = one + 2 < last ? new_label(w) : ranges[first].label;
		emit_jump(w, BPF_JEQ, ranges[one].first, ranges[one].label, next);
	}
}

/* Writes the search among ranges FIRST to LAST as planned, and returns its label. */
static int write_search(struct writer *w, const struct range *ranges,
			struct search plan[RANGES][RANGES], size_t first, size_t last)
{
	size_t split = plan[first][last].split, at;
	int label, low, high;

	if (first == last)
		return ranges[first].label;
	label = new_label(w);
	place_label(w, label);
	if (split == 0) {
		write_odd_ones(w, ranges, first, last);
		return label;
	}
	at = emit_jump(w, BPF_JGE, ranges[split].first, 0, 0);
	low = write_search(w, ranges, plan, first, split - 1);
	high = write_search(w, ranges, plan, split, last);
	w->on_true[at] = high;
	w->on_false[at] = low;
	return label;
}

/* The label for a jump to the reference's AT; LABELS has those of the copied instructions. */
static int tail_label(struct writer *w, const struct target *target, size_t at, int *labels,
		      uint32_t otherwise)
{
	const struct program *ref = &target->reference;
	uint32_t verdict;

	at = pass_over(ref, at);
	verdict = ref->in[at].k == ABSENT ? otherwise : ref->in[at].k;
	if (BPF_CLASS(ref->in[at].code) == BPF_RET)
		return verdict_label(w, settle(target, verdict));
	if (labels[at] < 0)
		labels[at] = new_label(w);
	return labels[at];
}

/* Copies what the reference does from RANGE's tail on; its default becomes OTHERWISE. */
static void copy_tail(struct writer *w, const struct target *target, const struct range *range,
		      uint32_t otherwise)
{
	const struct program *ref = &target->reference;
	int labels[BPF_MAXINSNS];

	memset(labels, -1, sizeof(labels));
	labels[range->tail] = range->label;
	for (size_t at = range->tail; at < ref->count; at++) {
		const struct sock_filter *in = &ref->in[at];

		if (labels[at] < 0)
			continue;
		place_label(w, labels[at]);
		if (BPF_CLASS(in->code) == BPF_JMP) {
			emit_jump(w, BPF_OP(in->code), in->k,
				  tail_label(w, target, at + 1 + in->jt, labels, otherwise),
				  tail_label(w, target, at + 1 + in->jf, labels, otherwise));
			continue;
		}
		emit(w, in->code, in->k);
		if (labels[at + 1] >= 0 || BPF_CLASS(in[1].code) == BPF_RET)
			die("libseccomp joins or ends a line of code in a way not foreseen");
		labels[at + 1] = new_label(w);
	}
}

void write_compact(const struct target *target, struct program *out)
{
	static struct range ranges[RANGES];
	static struct search plan[RANGES][RANGES];
	static struct writer writer;
	struct writer *w = &writer;
	size_t count;
	int number;

	writer = (struct writer){ .out = out };
	count = find_ranges(w, target, ranges);
	plan_search(ranges, plan, count);
	emit(w, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	number = new_label(w);
	emit_jump(w, BPF_JEQ, target->token, number, verdict_label(w, SECCOMP_RET_KILL_PROCESS));
	place_label(w, number);
	emit(w, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	write_search(w, ranges, plan, 0, count - 1);
	for (size_t i = 0; i < count; i++) {
		if (ranges[i].tail)
			copy_tail(w, target, &ranges[i], target->rule[ranges[i].first]->otherwise);
	}
	finish(w);
}
