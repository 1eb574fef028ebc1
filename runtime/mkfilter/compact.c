// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The compact program. Installing a filter costs time for each of its instructions, and
 * since 5.11 the kernel also runs it once for every call number; libseccomp compares with
 * each call of the policy in turn (400 instructions, 305 us; its own tree: 500, 86 us). Here
 * runs of numbers with one verdict become ranges, the ranges a balanced search, and the
 * calls judged by arguments keep libseccomp's own code (125 instructions, 37 us).
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../cbpf.h"
#include "mkfilter.h"

#define LABELS     2048
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
		int label = judged ? new_label(w) : verdict_label(w, ref->in[at].k);
		struct range range = { numbers[i], label, judged ? at : 0 };

		if (i > 0 && numbers[i] == numbers[i - 1])
			continue;
		if (count == 0 || ranges[count - 1].label != label)
			ranges[count++] = range;
	}
	return count;
}

/*
 * Writes the search among COUNT ranges and returns its label. A single number amid a range
 * takes one comparison, not two.
 */
static int write_search(struct writer *w, const struct range *ranges, size_t count)
{
	size_t half = count / 2, at;
	int label, low, high;

	if (count == 1)
		return ranges[0].label;
	label = new_label(w);
	place_label(w, label);
	if (count == 3 && ranges[0].label == ranges[2].label &&
	    ranges[2].first - ranges[1].first == 1) {
		emit_jump(w, BPF_JEQ, ranges[1].first, ranges[1].label, ranges[0].label);
		return label;
	}
	at = emit_jump(w, BPF_JGE, ranges[half].first, 0, 0);
	low = write_search(w, ranges, half);
	high = write_search(w, ranges + half, count - half);
	w->on_true[at] = high;
	w->on_false[at] = low;
	return label;
}

/* The label for a jump to the reference's AT; LABELS has those of the copied instructions. */
static int tail_label(struct writer *w, const struct program *ref, size_t at, int *labels,
		      uint32_t otherwise)
{
	while (ref->in[at].code == (BPF_JMP | BPF_JA))
		at += 1 + ref->in[at].k;
	if (BPF_CLASS(ref->in[at].code) == BPF_RET)
		return verdict_label(w, ref->in[at].k == ABSENT ? otherwise : ref->in[at].k);
	if (labels[at] < 0)
		labels[at] = new_label(w);
	return labels[at];
}

/* Copies what the reference does from RANGE's tail on; its default becomes OTHERWISE. */
static void copy_tail(struct writer *w, const struct program *ref, const struct range *range,
		      uint32_t otherwise)
{
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
				  tail_label(w, ref, at + 1 + in->jt, labels, otherwise),
				  tail_label(w, ref, at + 1 + in->jf, labels, otherwise));
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
	static struct range ranges[CANDIDATES];
	static struct writer writer;
	struct writer *w = &writer;
	size_t count;
	int number;

	w->out = out;
	count = find_ranges(w, target, ranges);
	emit(w, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	number = new_label(w);
	emit_jump(w, BPF_JEQ, target->token, number, verdict_label(w, SECCOMP_RET_KILL_PROCESS));
	place_label(w, number);
	emit(w, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	write_search(w, ranges, count);
	for (size_t i = 0; i < count; i++) {
		if (ranges[i].tail)
			copy_tail(w, &target->reference, &ranges[i],
				  target->rule[ranges[i].first]->otherwise);
	}
	finish(w);
}
