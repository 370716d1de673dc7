//! What there was to judge: where there was nothing, nothing can be said to be right.

use super::{
    model::runner::{Executor, Runner},
    scene::OneJob,
};

/// How much was judged, and what was not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Judged {
    pub runners: usize,
    /// Those with a Docker daemon.
    pub jobs: usize,
    pub left_out: Vec<LeftOut>,
}

/// What could not be judged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeftOut {
    pub count: usize,
    /// Of one.
    pub noun: &'static str,
    pub because: &'static str,
}

impl Judged {
    pub fn of<'a>(runners: impl Iterator<Item = &'a Runner>, jobs: &[OneJob<'_>]) -> Self {
        let mut judged = Self::default();
        for runner in runners {
            match runner.executor {
                Executor::Kubernetes | Executor::Docker => judged.runners += 1,
                Executor::Other => judged.leave_out("runner", "services do not run there"),
            }
        }
        for job in jobs {
            judged.job(job);
        }
        judged
    }

    /// Whether nothing was judged at all.
    pub fn is_empty(&self) -> bool {
        self.runners == 0 && self.jobs == 0
    }

    fn job(&mut self, job: &OneJob<'_>) {
        let mut daemons = job.own_daemons().peekable();
        let has_daemon = daemons.peek().is_some();
        if daemons.any(|daemon| daemon.served.is_some()) {
            self.jobs += 1;
        } else if has_daemon {
            self.leave_out("job", "how the daemon is started is not in these files");
        } else if !job.job.services_are_known {
            self.leave_out("job", "the services are not in these files");
        }
    }

    fn leave_out(&mut self, noun: &'static str, because: &'static str) {
        let mut before = self.left_out.iter_mut();
        match before.find(|it| (it.noun, it.because) == (noun, because)) {
            Some(before) => before.count += 1,
            None => self.left_out.push(LeftOut {
                count: 1,
                noun,
                because,
            }),
        }
    }
}
