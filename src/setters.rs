//! How settings are set: by value, one after another.

/// Gives a type of settings a method for each of these fields.
macro_rules! setters {
    ($($name:ident $field:ident: $type:ty,)*) => {
        $(
            #[doc = concat!("Returns these settings with another [`", stringify!($field), "`](Self::", stringify!($field), ").")]
            #[must_use]
            pub const fn $name(mut self, $field: $type) -> Self {
                self.$field = $field;
                self
            }
        )*
    };
}

pub(crate) use setters;
