//! The optimizers that can be exact, clipped and scheduled, each by its name.

/// Hands them all to a macro, `name: optimizer;` each, where `nanoembed::optim` is imported.
macro_rules! each_optimizer {
    ($to:ident) => {
        $to! {
            sgd: Sgd { learning_rate: 0.1 };
            momentum: Momentum { learning_rate: 0.1, ..Momentum::default() };
            nesterov: Momentum { learning_rate: 0.1, nesterov: true, ..Momentum::default() };
            adagrad: Adagrad::default();
            rmsprop: RmsProp::default();
            rmsprop_with_momentum: MomentumRmsProp { momentum: 0.9, ..MomentumRmsProp::default() };
            centered_rmsprop: CenteredRmsProp { momentum: 0.9, ..CenteredRmsProp::default() };
            adadelta: Adadelta::default();
            adam: Adam::default();
            adam_of_keras: Adam { keras3_duplicates: true, ..Adam::default() };
            amsgrad: AmsGrad::default();
            nadam: Nadam::default();
        }
    };
}
