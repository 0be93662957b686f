#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A tuning that is stopped goes on with the trials that had ended.

    tuning_test.py BRAID
"""
import signal

import program

PROJECT = """
CREATE MATERIALIZED VIEW gold.rows AS SELECT (range * 7919 % 10007) / 10007 AS a, (range * 104729 % 20011) / 20011 AS b,
  sin(12 * a) + b * b AS y FROM range(20000);
CREATE MODEL m OPTIONS (model_type = 'boosted_tree_regressor', input_label_cols = ['y'], num_trials = 12,
  max_parallel_trials = 2, hparam_tuning_algorithm = 'GRID_SEARCH', max_tree_depth = HPARAM_CANDIDATES([2, 4, 6]),
  learn_rate = HPARAM_CANDIDATES([0.05, 0.1, 0.2, 0.4]), max_iterations = 30, early_stop = FALSE, threads = 1)
  AS SELECT a, b, y FROM gold.rows;
"""
TRIALS = """SELECT trial_id, hyperparameters, evaluation_metrics, test_metrics, training_loss, eval_loss, is_optimal,
  artefact_sha256 FROM braid.model_trial ORDER BY trial_id"""


class TuningTest(program.ProgramTest):
    def tuned(self, name):
        project = self.project(name=name)
        project.write("all.sql", PROJECT)
        return project

    def finished(self, project):
        return list((project.folder / ".braid" / "tuning").glob("*/*/*.json"))

    def stop_after(self, project, trials, how):
        """How many trials had ended when the run was stopped."""
        process = project.start("run")
        program.wait_until(lambda: len(self.finished(project)) >= trials or process.poll() is not None, "a trial to end")
        process.send_signal(how)
        said = process.communicate(timeout=program.SECONDS)[1]
        self.assertNotEqual(process.returncode, 0, said)
        return len(self.finished(project))

    def go_on(self, project, ended):
        self.assertGreater(ended, 0)
        said = project.done("run").stderr
        self.assertIn(f"model m: {ended} of 12 trials were finished before", said)
        self.assertEqual(self.finished(project), [])

    def test_goes_on_after_a_kill_and_after_an_interrupt(self):
        undisturbed = self.tuned("undisturbed")
        self.assertNotIn("were finished before", undisturbed.done("run").stderr)
        expected = undisturbed.rows(TRIALS)
        self.assertEqual(len(expected), 12)
        for how in (signal.SIGKILL, signal.SIGINT):
            with self.subTest(how):
                project = self.tuned(f"stopped-{how}")
                self.go_on(project, self.stop_after(project, 2, how))
                self.assertEqual(project.rows(TRIALS), expected)

    def test_starts_anew_for_other_rows_and_after_damage(self):
        project = self.tuned("changed")
        self.stop_after(project, 1, signal.SIGKILL)
        project.write("all.sql", PROJECT.replace("range(20000)", "range(3000)"))
        self.assertNotIn("were finished before", project.done("run").stderr)
        damaged = self.tuned("damaged")
        ended = self.stop_after(damaged, 1, signal.SIGKILL)
        self.finished(damaged)[0].write_text("{")
        said = damaged.done("run").stderr
        if ended > 1:
            self.assertIn(f"model m: {ended - 1} of 12 trials", said)
        self.assertEqual(len(damaged.rows(TRIALS)), 12)


if __name__ == "__main__":
    program.main()
