//! Scenarios, each with the examples that it runs.

use crate::page::{Block, examples};

/// Where an example stands.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    pub page: &'static str,
    pub heading: &'static str,
    /// Among those below that heading, from 1.
    pub number: usize,
}

impl Place {
    /// The example, with the names that the tests' registry goes by.
    #[track_caller]
    pub fn example(self) -> Block {
        let mut block = examples(self.page)
            .into_iter()
            .find(|block| block.heading == self.heading && block.number == self.number)
            .unwrap_or_else(|| panic!("there is no example {self:?}"));
        block.text = block
            .text
            .replace("registry.example.com", "registry.example.test");
        block
    }
}

/// Makes a test of each function, which gets the examples behind its name, and `EXAMPLES`, the list
/// of all of them. A function cannot leave one out: a parameter that is not used does not compile.
macro_rules! scenarios {
    ($($scenario:ident($($page:ident $heading:literal $number:literal),+ $(,)?);)+) => {
        /// What the scenarios of this file run.
        pub const EXAMPLES: &[$crate::scenarios::Place] = &[$($(
            $crate::scenarios::Place { page: $page, heading: $heading, number: $number },
        )+)+];

        mod run {
            use super::*;
            $(
                #[test]
                fn $scenario() {
                    super::$scenario($(
                        $crate::scenarios::Place {
                            page: $page,
                            heading: $heading,
                            number: $number,
                        }
                        .example(),
                    )+);
                }
            )+
        }
    };
}
pub(crate) use scenarios;
