//! The variables that a job or a service gets, as far as the file says.

mod expansion;
mod variable;

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use self::variable::written;
pub use self::{expansion::refers, variable::Variable};
use crate::lint::{
    source::{Located, Place},
    yaml::{Mapping, Node},
};

/// What a file says about something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Known<T> {
    Set(T),
    /// Nothing, and nothing that is out of sight here could say it but the runner and GitLab's
    /// user interface.
    Unset,
    /// It is said elsewhere, or may be.
    Unknown,
}

impl<T> Known<T> {
    fn set(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Unset | Self::Unknown => None,
        }
    }
}

/// What the runners that may run a pipeline's jobs set; `None` where they differ.
pub type RunnerVariables = BTreeMap<String, Option<String>>;

/// Where variables are looked up, the place that wins first. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Variables(Vec<Layer>);

#[derive(Clone, Debug)]
enum Layer {
    /// From a mapping in the file; of a `None` nothing but the name is known.
    Written(Rc<BTreeMap<String, Option<Variable>>>),
    /// Something that is not in sight.
    Open,
}

impl Variables {
    /// The same, with those of `node` before all others.
    pub fn with(&self, node: Option<&Node>) -> Self {
        let Some(node) = node else {
            return self.clone();
        };
        self.before(match node.as_mapping() {
            // `variables: !reference […]`
            _ if node.tag.is_some() => Layer::Open,
            Some(mapping) => Layer::Written(Rc::new(written(mapping))),
            None if node.is_null() => return self.clone(),
            None => Layer::Open,
        })
    }

    /// The same, but for names that may get any value.
    pub fn varying(&self, names: impl IntoIterator<Item = String>) -> Self {
        self.with_written(names.into_iter().map(|name| (name, None)).collect())
    }

    /// The same, but for names that have no value, whatever sets them.
    pub fn without(&self, names: impl IntoIterator<Item = String>) -> Self {
        let empty = |name| (name, Some(Variable::empty()));
        self.with_written(names.into_iter().map(empty).collect())
    }

    /// The same, with one of these before all others, of `rules:variables` or of a matrix: known is
    /// what comes out the same whichever it is.
    pub fn with_one_of(&self, alternatives: &[Option<&Mapping>]) -> Self {
        let alternatives: Vec<_> = alternatives
            .iter()
            .map(|alternative| alternative.map(written).unwrap_or_default())
            .collect();
        let names: BTreeSet<&String> = alternatives.iter().flat_map(BTreeMap::keys).collect();
        let agreed = |name: &String| {
            let mut values = alternatives.iter().map(|it| match it.get(name) {
                Some(variable) => variable.as_ref(),
                None => self.get(name).set(),
            });
            let first = values.next()??;
            let is_first = |value: Option<&Variable>| value.is_some_and(|it| it.says(first));
            values.all(is_first).then(|| first.clone())
        };
        let agreed = names.into_iter().map(|name| (name.clone(), agreed(name)));
        self.with_written(agreed.collect())
    }

    /// The same, over something that is not in sight.
    pub fn over_the_unseen(mut self) -> Self {
        self.0.push(Layer::Open);
        self
    }

    /// Those of the runner, which have no place in a pipeline's file.
    pub fn of_the_runner(variables: &RunnerVariables) -> Self {
        let read = |(name, value): (&String, &Option<String>)| {
            let variable = value.as_ref().map(|value| Variable {
                value: value.clone(),
                place: None,
                is_raw: false,
            });
            (name.clone(), variable)
        };
        let variables = variables.iter().map(read).collect();
        Self(vec![Layer::Written(Rc::new(variables))])
    }

    /// The same, with others after all of them.
    pub fn over(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().cloned());
        self
    }

    /// These alone; of two with one name the last counts.
    pub fn assigned(assignments: impl IntoIterator<Item = (String, Located<String>)>) -> Self {
        let read = |(name, assigned): (String, Located<String>)| {
            let variable = Variable {
                value: assigned.value,
                place: Some(assigned.place),
                is_raw: false,
            };
            (name, Some(variable))
        };
        let variables = assignments.into_iter().map(read).collect();
        Self(vec![Layer::Written(Rc::new(variables))])
    }

    /// All that are set, by their names, as they are written.
    pub fn all(&self) -> BTreeMap<&str, &Variable> {
        let layers = self.0.iter().rev();
        let written = layers.filter_map(|layer| match layer {
            Layer::Written(variables) => Some(variables),
            Layer::Open => None,
        });
        let set = written.flat_map(|variables| variables.iter());
        set.filter_map(|(name, variable)| Some((name.as_str(), variable.as_ref()?)))
            .collect()
    }

    pub fn get(&self, name: &str) -> Known<&Variable> {
        for layer in &self.0 {
            match layer {
                Layer::Written(variables) => match variables.get(name) {
                    Some(Some(variable)) => return Known::Set(variable),
                    Some(None) => return Known::Unknown,
                    None => {}
                },
                Layer::Open => return Known::Unknown,
            }
        }
        Known::Unset
    }

    /// The variable, if it is this file that sets it, and where.
    pub fn written(&self, name: &str) -> Option<(&Variable, &Place)> {
        match self.get(name) {
            Known::Set(variable) => Some((variable, variable.place.as_ref()?)),
            _ => None,
        }
    }

    fn with_written(&self, variables: BTreeMap<String, Option<Variable>>) -> Self {
        match variables.is_empty() {
            true => self.clone(),
            false => self.before(Layer::Written(Rc::new(variables))),
        }
    }

    fn before(&self, layer: Layer) -> Self {
        let layers = std::iter::once(layer).chain(self.0.iter().cloned());
        Self(layers.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::yaml;

    pub(super) fn variables(text: &str) -> Variables {
        let documents = yaml::parse(text).unwrap();
        Variables::default().with(documents.first())
    }

    #[test]
    fn what_comes_first_wins_and_the_unseen_may_hold_anything() {
        let global = variables("A: global\nB: global");
        let job = yaml::parse("A: job").unwrap();
        let literal = |variables: &Variables, name| variables.literal(name);
        let both = global.with(job.first());
        assert_eq!(literal(&both, "A").as_deref(), Some("job"));
        assert_eq!(literal(&both, "B").as_deref(), Some("global"));
        let open = both.clone().over_the_unseen();
        assert!(matches!(both.get("C"), Known::Unset));
        assert!(matches!(open.get("C"), Known::Unknown));
        assert!(matches!(open.get("B"), Known::Set(_)));
        let varying = both.varying(["B".to_owned()]);
        assert!(matches!(varying.get("B"), Known::Unknown));
        let reference = yaml::parse("!reference [.a, variables]").unwrap();
        assert!(matches!(
            global.with(reference.first()).get("A"),
            Known::Unknown
        ));
    }

    #[test]
    fn of_alternatives_is_known_what_comes_out_the_same() {
        let below = variables("A: x\nB: x\nC: x");
        let parsed = yaml::parse("[{A: x, B: y, D: z}, {A: x, B: x, D: z}]").unwrap();
        let [first, second] = parsed[0].as_sequence().unwrap() else {
            panic!("two of them");
        };
        let (first, second) = (first.as_mapping(), second.as_mapping());
        for (alternatives, expected) in [
            (&[first, second][..], "A=x C=x D=z"),
            // Where neither is taken, it is what is below.
            (&[first, second, None], "A=x C=x"),
            (&[first], "A=x B=y C=x D=z"),
            (&[None], "A=x B=x C=x"),
            (&[], "A=x B=x C=x"),
        ] {
            let one = below.with_one_of(alternatives);
            let known = ["A", "B", "C", "D"].iter().filter_map(|name| {
                let value = one.literal(name)?;
                Some(format!("{name}={value}"))
            });
            assert_eq!(known.collect::<Vec<_>>().join(" "), expected);
        }
    }

    #[test]
    fn the_runner_s_come_last_and_have_no_place_here() {
        let runner = RunnerVariables::from([
            ("A".into(), Some("runner".into())),
            ("B".into(), Some("runner".into())),
            ("C".into(), None),
        ]);
        let job = variables("A: job");
        let runner = Variables::of_the_runner(&runner);
        let over = job.clone().over(&runner);
        assert_eq!(over.literal("A").as_deref(), Some("job"));
        assert_eq!(over.literal("B").as_deref(), Some("runner"));
        assert!(over.written("A").is_some() && over.written("B").is_none());
        assert!(matches!(over.get("C"), Known::Unknown));
        let open = job.over_the_unseen().over(&runner);
        assert!(matches!(open.get("B"), Known::Unknown));
    }
}
