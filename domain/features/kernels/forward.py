"""The forward pass of a hidden Markov model with Gaussian emissions, bar by bar: what is known of the state at each bar's end. In probabilities, and in logarithms
where those would be too small for a float."""

from __future__ import annotations

import numpy as np

from domain.compiled import compiled, entry

LOG_TWO_PI = np.log(2 * np.pi)
BLOCK = 256             # rows whose densities are worked out together
SMALLEST = 1e-250       # probabilities below it are added up as logarithms


@entry
def triangles(covariances):
    """Of each covariance the triangle L with L Lᵀ = covariance, its diagonal as reciprocals, and the constant of the log density,
    −½ (log determinant + d log 2π); NaN where it is not positive definite."""
    states, size = covariances.shape[0], covariances.shape[1]
    factors, constants = np.zeros(covariances.shape), np.empty(states)
    for state in range(states):
        logarithm = size * LOG_TWO_PI
        for i in range(size):
            for j in range(i + 1):
                rest = covariances[state, i, j]
                for k in range(j):
                    rest -= factors[state, i, k] * factors[state, j, k]
                if i > j:
                    factors[state, i, j] = rest * factors[state, j, j]
                else:
                    factors[state, i, i] = 1.0 / np.sqrt(rest) if rest > 0.0 else np.nan
                    logarithm += np.log(rest) if rest > 0.0 else np.nan
        constants[state] = -0.5 * logarithm
    return factors, constants


@entry
def densities(rows, start, count, centre, spread, means, factors, constants, scaled, solved, output):
    """Log density of rows ``start`` … ``start + count − 1``, scaled, under each Gaussian (row of ``output``): forward substitution through its triangle, many rows at a
    time, each as if it were alone."""
    states, size = means.shape
    for i in range(size):
        for r in range(count):
            scaled[i, r] = (rows[start + r, i] - centre[i]) / spread[i]
    for state in range(states):
        output[state, :count] = 0.0
        for i in range(size):
            for r in range(count):
                solved[i, r] = scaled[i, r] - means[state, i]
            for k in range(i):
                for r in range(count):
                    solved[i, r] -= factors[state, i, k] * solved[k, r]
            for r in range(count):
                solved[i, r] *= factors[state, i, i]
                output[state, r] += solved[i, r] * solved[i, r]
        for r in range(count):
            output[state, r] = constants[state] - 0.5 * output[state, r]


@entry
def all_densities(rows, centre, spread, means, factors, constants):
    """Log density of every row under each Gaussian."""
    (states, size), count = means.shape, rows.shape[0]
    output = np.empty((states, count))
    densities(rows, 0, count, centre, spread, means, factors, constants, np.empty((size, count)), np.empty((size, count)), output)
    return output.T.copy()


@entry
def expect(log_start, transition, log_transition, belief, expected):
    """What is believed of a bar before it is seen, in logarithms: the start before the first one (``belief`` is NaN), else the last belief
    through the transitions."""
    states = log_start.shape[0]
    if np.isnan(belief[0, 0]):
        for to in range(states):
            expected[to] = log_start[to]
        return
    for to in range(states):
        total = 0.0
        for k in range(states):
            total += belief[1, k] * transition[k, to]
        expected[to] = np.log(total) if total > SMALLEST else log_sum(belief, log_transition, to)


@compiled
def log_sum(belief, log_transition, to):
    """log Σ exp(belief + transition), which neither overflows nor loses what is small."""
    top, total = -np.inf, 0.0
    for k in range(belief.shape[1]):
        top = max(top, belief[0, k] + log_transition[k, to])
    if top == -np.inf:
        return top
    for k in range(belief.shape[1]):
        total += np.exp(belief[0, k] + log_transition[k, to] - top)
    return top + np.log(total)


@entry
def weigh(expected, log_densities, belief):
    """The belief after a bar is seen, from what was expected and the log density of the bar in each state; the log likelihood of the bar.
    A bar that is unknown (NaN), or that no state explains (all −∞), leaves what was expected and has likelihood 1."""
    states, top, total = expected.shape[0], -np.inf, 0.0
    for k in range(states):
        joint = expected[k] + log_densities[k]
        belief[0, k] = joint
        total += joint
        if joint > top:
            top = joint
    explained = top > -np.inf and top < np.inf and not np.isnan(total)
    total, top = 0.0, top if explained else 0.0
    for k in range(states):
        if not explained:
            belief[0, k] = expected[k]
        belief[1, k] = np.exp(belief[0, k] - top)
        total += belief[1, k]
    likelihood = top + np.log(total)
    for k in range(states):
        belief[0, k] -= likelihood
        belief[1, k] /= total
    return likelihood if explained else 0.0


@entry
def follow(transition, log_densities, r, belief, joint):
    """What ``expect`` and ``weigh`` do together for row ``r``, in probabilities alone: the densities are divided by their greatest, and no logarithm stands between
    one bar and the next. The log likelihood of the bar; NaN, and the belief left as it was, where a probability would be below SMALLEST or is unknown."""
    states, top, total, safe = joint.shape[0], -np.inf, 0.0, True
    for k in range(states):
        if log_densities[k, r] > top:
            top = log_densities[k, r]
    for to in range(states):
        expected = 0.0
        for k in range(states):
            expected += belief[1, k] * transition[k, to]
        joint[to] = expected * np.exp(log_densities[to, r] - top)
        safe = safe and joint[to] > SMALLEST
        total += joint[to]
    if not safe:
        return np.nan
    for k in range(states):
        belief[1, k] = joint[k] / total
    return top + np.log(total)


@entry
def forward(rows, centre, spread, means, factors, constants, log_start, transition, log_transition, belief):
    """The probability of each state at each row, from this and earlier rows alone, and the log likelihood of all.

    ``belief``: logarithms and probabilities after the row before the first, NaN where there is none; it leaves as they stand after the last.
    One row at a time or all at once, the bits are the same.
    """
    (states, size), likelihood, logs, block = means.shape, 0.0, True, min(rows.shape[0], BLOCK)
    probabilities, expected, log_densities, scaled, solved = np.empty((rows.shape[0], states)), np.empty(states), np.empty((states, block)), np.empty((size, block)), np.empty((size, block))
    for t in range(rows.shape[0]):
        r = t % BLOCK
        if r == 0:
            densities(rows, t, min(rows.shape[0] - t, BLOCK), centre, spread, means, factors, constants, scaled, solved, log_densities)
        gain = follow(transition, log_densities, r, belief, expected)
        if np.isnan(gain):
            if not logs:
                belief[0] = np.log(belief[1])
            expect(log_start, transition, log_transition, belief, expected)
            gain = weigh(expected, log_densities[:, r], belief)
            logs = True
        else:
            logs = False
        likelihood += gain
        for k in range(states):
            probabilities[t, k] = belief[1, k]
    if not logs:
        belief[0] = np.log(belief[1])
    return probabilities, likelihood


@entry
def walk(transition_sums, draws, first):
    """States along the transitions: the row of running sums of the last one, and a number from 0 to 1 for each bar."""
    states, state = np.empty(draws.shape[0], np.int64), first
    for t in range(draws.shape[0]):
        if t > 0:
            last = state
            state = 0
            while state < transition_sums.shape[0] - 1 and draws[t] >= transition_sums[last, state]:
                state += 1
        states[t] = state
    return states
