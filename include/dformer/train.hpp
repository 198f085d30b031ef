#pragma once

// Training on the CPU: networks over Autodiff<Cpu<>>, losses, optimisers, runs that can be resumed. Opt-in:
// what only infers needs none of it.

#include <dformer/backend/autodiff/autodiff.hpp>
#include <dformer/backend/cpu/gradients/gradients.hpp>
#include <dformer/losses/cross_entropy.hpp>
#include <dformer/losses/weighted_sum.hpp>
#include <dformer/train/fit.hpp>
#include <dformer/train/parameter_groups.hpp>
#include <dformer/train/schedule.hpp>
#include <dformer/train/trainer.hpp>
#include <dformer/train/training_state.hpp>
