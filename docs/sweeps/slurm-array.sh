#!/usr/bin/env bash
# A sweep as a Slurm array: four tasks run a quarter of the points each, into a folder that all nodes see. A task that is
# preempted is queued again and goes on from its journal. Submit it, and a job that joins the parts when all are done:
#
#   array=$(sbatch --parsable docs/sweeps/slurm-array.sh)
#   sbatch --dependency=afterok:"$array" --wrap 'plimsoll merge results/sweep.parquet results/part-*.parquet'
#
#SBATCH --job-name=sweep
#SBATCH --array=1-4
#SBATCH --cpus-per-task=2
#SBATCH --mem=1G
#SBATCH --time=01:00:00
#SBATCH --requeue
set -euo pipefail
cd "$SLURM_SUBMIT_DIR"

part=$SLURM_ARRAY_TASK_ID
plimsoll sweep scenarios/flash-crowd/crowd.sweep.yaml --partition "$part/4" --out "results/part-$part.parquet" --jobs "$SLURM_CPUS_PER_TASK" --resume
