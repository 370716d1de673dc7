//! The variables that a job or a service gets, as far as the file says.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use crate::lint::{
    source::{Located, Place},
    yaml::{Entry, Mapping, Node},
};

/// How far references are followed; a cycle ends there.
const MAXIMAL_CHAIN: usize = 10;

/// How much references may add to a text, in bytes: `$A$A`, with A another `$B$B`, doubles each
/// time. What would be more stays a reference.
const MAXIMAL_GROWTH: usize = 16 * 1024;

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

/// A variable as it is written.
#[derive(Clone, Debug)]
pub struct Variable {
    pub value: String,
    /// Of the value; `None` if it is the runner's.
    place: Option<Place>,
    /// `expand: false`.
    is_raw: bool,
}

/// What the runners that may run a pipeline's jobs set; `None` where they differ.
pub type RunnerVariables = BTreeMap<String, Option<String>>;

/// The value after what it refers to has been put in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expanded {
    /// References to what is not in the file stay, as `$NAME`.
    pub text: String,
    /// A variable that it refers to, and that refers to another one in turn.
    pub chained: Option<String>,
}

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

    /// The variable's value, with what it refers to.
    pub fn expanded(&self, name: &str) -> Known<Expanded> {
        match self.get(name) {
            Known::Set(variable) if variable.is_raw => Known::Set(Expanded {
                text: variable.value.clone(),
                chained: None,
            }),
            Known::Set(variable) => Known::Set(self.expand(&variable.value)),
            Known::Unset => Known::Unset,
            Known::Unknown => Known::Unknown,
        }
    }

    /// A text with what it refers to.
    pub fn expand(&self, text: &str) -> Expanded {
        let mut expansion = Expansion {
            chained: None,
            left: MAXIMAL_GROWTH,
        };
        let text = self.replaced(text, 0, &mut expansion);
        Expanded {
            text,
            chained: expansion.chained,
        }
    }

    /// The value, if all of it is known; empty is as good as unset.
    pub fn literal(&self, name: &str) -> Option<String> {
        match self.expanded(name) {
            Known::Set(value) if !value.text.contains('$') => Some(value.text),
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

    fn replaced(&self, text: &str, depth: usize, expansion: &mut Expansion) -> String {
        let mut replaced = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            replaced.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let Some((name, length)) = reference(rest) else {
                replaced.push('$');
                continue;
            };
            rest = &rest[length..];
            match self.get(name) {
                Known::Set(variable)
                    if depth < MAXIMAL_CHAIN
                        && !variable.is_raw
                        && variable.value.len() < expansion.left =>
                {
                    // An empty value costs a look, too.
                    expansion.left -= variable.value.len() + 1;
                    if variable.refers() {
                        expansion.chained.get_or_insert_with(|| name.to_owned());
                    }
                    replaced.push_str(&self.replaced(&variable.value, depth + 1, expansion));
                }
                _ => {
                    replaced.push('$');
                    replaced.push_str(name);
                }
            }
        }
        replaced.push_str(rest);
        replaced
    }
}

/// What comes to light while a text is expanded.
struct Expansion {
    chained: Option<String>,
    /// How many bytes may still be added.
    left: usize,
}

impl Variable {
    /// `None` if the value is not in the file: `!reference`, or an input of a component.
    fn read(node: &Node) -> Option<Self> {
        // A mapping has the value beside its description.
        let value = match node.as_mapping() {
            Some(mapping) => mapping.get("value")?,
            None => node,
        };
        let scalar = value.as_scalar()?;
        let is_input = scalar.text.contains("$[[");
        (!is_input && value.tag.is_none()).then(|| Self {
            value: match scalar.is_null() {
                true => String::new(),
                false => scalar.text.to_string(),
            },
            place: Some(value.place()),
            is_raw: node.get("expand").and_then(Node::as_str) == Some("false"),
        })
    }

    /// Whether it says the same as another one, wherever that is written.
    fn says(&self, other: &Self) -> bool {
        (&self.value, self.is_raw) == (&other.value, other.is_raw)
    }

    fn refers(&self) -> bool {
        !self.is_raw && refers(&self.value)
    }
}

fn written(mapping: &Mapping) -> BTreeMap<String, Option<Variable>> {
    let named = |entry: &Entry| {
        let name = entry.key.as_scalar()?.text.to_string();
        Some((name, Variable::read(&entry.value)))
    };
    mapping.iter().filter_map(named).collect()
}

/// Whether a text names a variable.
pub fn refers(text: &str) -> bool {
    let mut parts = text.split('$').skip(1);
    parts.any(|part| reference(part).is_some())
}

/// The name after a `$`, and how long it is with its braces.
fn reference(text: &str) -> Option<(&str, usize)> {
    let name_length = |text: &str| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        text.find(|c| !is_name(c)).unwrap_or(text.len())
    };
    match text.strip_prefix('{') {
        Some(inner) => {
            let length = name_length(inner);
            let is_closed = length > 0 && inner[length..].starts_with('}');
            is_closed.then(|| (&inner[..length], length + 2))
        }
        None => {
            let length = name_length(text);
            (length > 0).then(|| (&text[..length], length))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::yaml;

    fn variables(text: &str) -> Variables {
        let documents = yaml::parse(text).unwrap();
        Variables::default().with(documents.first())
    }

    #[test]
    fn values_are_read_in_every_form() {
        let variables = variables(
            "A: 1\nB: ''\nC:\nD: {value: x, description: y}\nE: true\nF: !reference [.a, b]\n\
             G: $[[ inputs.x ]]\nH: {description: y}\nI: [x]",
        );
        for (name, value) in [
            ("A", Known::Set("1")),
            ("B", Known::Set("")),
            ("C", Known::Set("")),
            ("D", Known::Set("x")),
            ("E", Known::Set("true")),
            ("F", Known::Unknown),
            ("G", Known::Unknown),
            ("H", Known::Unknown),
            ("I", Known::Unknown),
            ("J", Known::Unset),
        ] {
            let found = match variables.get(name) {
                Known::Set(variable) => Known::Set(&*variable.value),
                Known::Unset => Known::Unset,
                Known::Unknown => Known::Unknown,
            };
            assert_eq!(found, value, "{name}");
        }
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

    #[test]
    fn references_are_put_in_and_a_chain_is_noticed() {
        let variables = variables(
            "A: /certs\nB: $A/client\nC: ${B}/x\nD: $CI_BUILDS_DIR/$A\nE: $E\nF: $G\nG: $F\n\
             RAW: {value: $A, expand: false}\nH: a$RAW\nI: cost $ 5 $$A ${A\nJ: ${D}",
        );
        for (name, text, chained) in [
            ("A", "/certs", None),
            ("B", "/certs/client", None),
            ("C", "/certs/client/x", Some("B")),
            ("D", "$CI_BUILDS_DIR//certs", None),
            ("J", "$CI_BUILDS_DIR//certs", Some("D")),
            ("RAW", "$A", None),
            ("H", "a$RAW", None),
            ("I", "cost $ 5 $/certs ${A", None),
        ] {
            let expected = Known::Set(Expanded {
                text: text.to_owned(),
                chained: chained.map(str::to_owned),
            });
            assert_eq!(variables.expanded(name), expected, "{name}");
        }
        let bomb: String = (0..9)
            .map(|n| format!("V{n}: {}\n", format!("$V{}", n + 1).repeat(1000)))
            .collect();
        let bomb = self::variables(&bomb);
        let Known::Set(grown) = bomb.expanded("V0") else {
            panic!("it is set");
        };
        assert!(
            grown.text.len() < 3 * MAXIMAL_GROWTH,
            "{}",
            grown.text.len()
        );
        for cyclic in ["E", "F"] {
            assert_eq!(variables.literal(cyclic), None, "{cyclic}");
        }
    }
}
